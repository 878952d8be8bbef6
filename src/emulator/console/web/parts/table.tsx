// biome-ignore-all lint/a11y/useSemanticElements: a real table cannot leave out the rows that are not in view
// biome-ignore-all lint/a11y/useFocusableInteractive: rows are read; what is done with them has controls of its own
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

export interface Column<Row> {
  readonly key: string;
  readonly label: string;
  /** Of the grid, as CSS has it. */
  readonly width: string;
  readonly render: (row: Row) => ComponentChildren;
  /** By what it is sorted; a column without is not. */
  readonly sortBy?: (row: Row) => number | string | null;
  readonly isNumber?: boolean;
  /** Left out where there is little room. */
  readonly isWide?: boolean;
}

export interface Sort {
  readonly key: string;
  readonly isDescending: boolean;
}

export interface TableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  /** In their order. */
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly sort?: Sort;
  readonly onSort?: (sort: Sort) => void;
  readonly empty: ComponentChildren;
}

const rowHeight = 38;
const narrowRowHeight = 56;
/** Rows drawn beyond what is seen, so that quick scrolling shows no gap. */
const overscan = 10;

/** A table that draws only the rows in view: ten thousand cost as much as fifty. */
export function Table<Row>({ label, columns, rows, keyOf, sort, onSort, empty }: TableProps<Row>) {
  const frame = useRef<HTMLElement>(null);
  const { top, height, width } = useViewport(frame);
  const isNarrow = width > 0 && width < 700;
  const shown = isNarrow ? columns.filter(({ isWide }) => !isWide) : columns;
  const step = isNarrow ? narrowRowHeight : rowHeight;
  const first = Math.max(0, Math.floor(top / step) - overscan);
  const last = Math.min(rows.length, Math.ceil((top + height) / step) + overscan);
  // With little room the style sheet lays the cells out, in two lines.
  const template = isNarrow ? {} : { gridTemplateColumns: shown.map(({ width: own }) => own).join(" ") };
  return (
    <section
      class={`table-frame ${isNarrow ? "narrow" : ""}`}
      ref={frame}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
      tabIndex={0}
      aria-label={label}
    >
      <div class="table" role="table" aria-label={label} aria-rowcount={rows.length + 1}>
        <div class="table-head" role="row" aria-rowindex={1} style={template}>
          {shown.map((column) => (
            <Heading key={column.key} column={column} sort={sort} onSort={onSort} />
          ))}
        </div>
        <div class="table-body" role="rowgroup" style={{ height: `${rows.length * step}px` }}>
          {rows.slice(first, last).map((row, index) => (
            <div
              key={keyOf(row)}
              class="table-row"
              role="row"
              aria-rowindex={first + index + 2}
              style={{
                ...template,
                height: `${step}px`,
                transform: `translateY(${(first + index) * step}px)`,
              }}
            >
              {shown.map(({ key, render, isNumber }) => (
                <div key={key} role="cell" class={isNumber ? `cell number ${key}` : `cell ${key}`}>
                  {clipped(render(row))}
                </div>
              ))}
            </div>
          ))}
        </div>
      </div>
      {rows.length === 0 && <div class="table-empty">{empty}</div>}
    </section>
  );
}

/** Bare text becomes an element: only those end in an ellipsis. */
function clipped(content: ComponentChildren): ComponentChildren {
  return typeof content === "string" ? <span>{content}</span> : content;
}

function Heading<Row>({
  column: { key, label, sortBy, isNumber },
  sort,
  onSort,
}: {
  readonly column: Column<Row>;
  readonly sort: Sort | undefined;
  readonly onSort: ((sort: Sort) => void) | undefined;
}) {
  const isSorted = sort?.key === key;
  const direction = isSorted ? (sort.isDescending ? "descending" : "ascending") : "none";
  const style = isNumber ? "cell number" : "cell";
  if (!sortBy || !onSort) {
    return (
      <div role="columnheader" class={`${style} ${key}`}>
        {label}
      </div>
    );
  }
  return (
    <div role="columnheader" class={`${style} ${key}`} aria-sort={direction}>
      <button
        type="button"
        class="sort"
        onClick={() => onSort({ key, isDescending: isSorted && !sort.isDescending })}
      >
        {label}
        <span aria-hidden="true" class="sort-mark">
          {isSorted ? (sort.isDescending ? "↓" : "↑") : ""}
        </span>
      </button>
    </div>
  );
}

/** What of a scrolling element is in view. */
function useViewport(frame: { readonly current: HTMLElement | null }): {
  readonly top: number;
  readonly height: number;
  readonly width: number;
} {
  const [view, setView] = useState({ top: 0, height: 800, width: 0 });
  useLayoutEffect(() => {
    const element = frame.current;
    if (!element) return;
    const look = () =>
      setView({ top: element.scrollTop, height: element.clientHeight, width: element.clientWidth });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, [frame]);
  return view;
}

/** Sorts by a column; what has no value comes last, in both directions. */
export function sorted<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sort: Sort,
): readonly Row[] {
  const sortBy = columns.find(({ key }) => key === sort.key)?.sortBy;
  if (!sortBy) return rows;
  const sign = sort.isDescending ? -1 : 1;
  const keyed = rows.map((row) => ({ row, by: sortBy(row) }));
  keyed.sort((a, b) => {
    if (a.by === null || b.by === null) return Number(a.by === null) - Number(b.by === null);
    return a.by === b.by ? 0 : sign * (a.by < b.by ? -1 : 1);
  });
  return keyed.map(({ row }) => row);
}

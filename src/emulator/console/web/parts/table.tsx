// biome-ignore-all lint/a11y/useSemanticElements: a real table cannot leave out the rows that are not in view
// biome-ignore-all lint/a11y/useFocusableInteractive: rows are read; what is done with them has controls of its own
import { Component, type ComponentChildren } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { RowSlots } from "./row-slots.ts";

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
  /** Rows are drawn again where these are others than the last time. */
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
const overscan = 6;

/** A table that draws only the rows in view: ten thousand cost as much as fifty. */
export function Table<Row>({ label, columns, rows, keyOf, sort, onSort, empty }: TableProps<Row>) {
  const frame = useRef<HTMLElement>(null);
  const { top, height, width } = useViewport(frame);
  const isNarrow = width > 0 && width < 700;
  const step = isNarrow ? narrowRowHeight : rowHeight;
  const { shown, template } = useMemo(() => {
    const those = isNarrow ? columns.filter(({ isWide }) => !isWide) : columns;
    // With little room the style sheet lays the cells out, in two lines.
    return { shown: those, template: isNarrow ? "" : those.map(({ width: own }) => own).join(" ") };
  }, [columns, isNarrow]);
  const slots = useMemo(() => new RowSlots(), []);
  const [focused, setFocused] = useState<string>();
  const indices = inView(rows, { top, height, step }, (row) => keyOf(row) === focused);
  const drawn = indices.flatMap((index) => {
    const row = rows[index];
    return row === undefined ? [] : [{ index, row, key: keyOf(row) }];
  });
  const slotOf = slots.assign(drawn.map(({ key }) => key));
  return (
    <section
      class={`table-frame ${isNarrow ? "narrow" : ""}`}
      ref={frame}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
      tabIndex={0}
      aria-label={label}
      onFocusIn={({ target }) => setFocused(keyOfRow(target))}
      onFocusOut={() => setFocused(undefined)}
    >
      <div class="table" role="table" aria-label={label} aria-rowcount={rows.length + 1}>
        <div class="table-head" role="row" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
          {shown.map((column) => (
            <Heading key={column.key} column={column} sort={sort} onSort={onSort} />
          ))}
        </div>
        <div class="table-body" role="rowgroup" style={{ height: `${rows.length * step}px` }}>
          {drawn.map(({ index, row, key }) => (
            <TableRow
              key={slotOf.get(key)}
              name={key}
              row={row}
              index={index}
              step={step}
              columns={shown}
              template={template}
            />
          ))}
        </div>
      </div>
      {rows.length === 0 && <div class="table-empty">{empty}</div>}
    </section>
  );
}

/**
 * Indices of the rows to draw: those in view, and the one that has the focus wherever it is, so that a keyboard finds
 * its place again.
 */
function inView<Row>(
  rows: readonly Row[],
  { top, height, step }: { readonly top: number; readonly height: number; readonly step: number },
  isFocused: (row: Row) => boolean,
): readonly number[] {
  const first = Math.min(Math.max(0, Math.floor(top / step) - overscan), rows.length);
  const last = Math.min(rows.length, Math.ceil((top + height) / step) + overscan);
  const indices = Array.from({ length: last - first }, (_, at) => first + at);
  const focused = rows.findIndex(isFocused);
  if (focused >= 0 && focused < first) return [focused, ...indices];
  return focused >= last ? [...indices, focused] : indices;
}

function keyOfRow(target: EventTarget | null): string | undefined {
  return target instanceof Element ? target.closest<HTMLElement>(".table-row")?.dataset.row : undefined;
}

interface RowProps<Row> {
  readonly name: string;
  readonly row: Row;
  readonly index: number;
  readonly step: number;
  readonly columns: readonly Column<Row>[];
  readonly template: string;
}

/** Drawn again only where something of it is another: while somebody scrolls most rows stay as they are. */
class TableRow<Row> extends Component<RowProps<Row>> {
  override shouldComponentUpdate(next: Readonly<RowProps<Row>>): boolean {
    const { row, index, step, columns, template } = this.props;
    return (
      row !== next.row ||
      index !== next.index ||
      columns !== next.columns ||
      step !== next.step ||
      template !== next.template
    );
  }

  override render({ name, row, index, step, columns, template }: Readonly<RowProps<Row>>) {
    return (
      <div
        class="table-row"
        role="row"
        aria-rowindex={index + 2}
        data-row={name}
        style={{
          gridTemplateColumns: template,
          height: `${step}px`,
          transform: `translateY(${index * step}px)`,
        }}
      >
        {columns.map(({ key, render, isNumber }) => (
          <div key={key} role="cell" class={isNumber ? `cell number ${key}` : `cell ${key}`}>
            {clipped(render(row))}
          </div>
        ))}
      </div>
    );
  }
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

import { useMemo } from "preact/hooks";
import { SortedRows } from "./sorted-rows.ts";
import type { Column, Sort } from "./table.tsx";

/** The rows in the order of one of the columns; as they are where it sorts by nothing. */
export function useSorted<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sort: Sort,
  keyOf: (row: Row) => string,
): readonly Row[] {
  const { key, isDescending } = sort;
  // What a column sorts by does not change.
  const kept = useMemo(() => {
    const sortBy = columns.find((column) => column.key === key)?.sortBy;
    return sortBy && new SortedRows(keyOf, sortBy, isDescending);
  }, [key, isDescending]);
  return useMemo(() => kept?.of(rows) ?? rows, [kept, rows]);
}

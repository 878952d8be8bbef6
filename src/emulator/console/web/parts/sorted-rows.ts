type SortKey = number | string | null;

interface Entry<Row> {
  row: Row;
  by: SortKey;
  /** The update that saw it last. */
  at: number;
}

/**
 * Rows in the order of a column; what has no value comes last, in both directions. Sorting again costs little when little
 * changed: the order of the last time stands, and only rows that are new or replaced are asked for their keys.
 */
export class SortedRows<Row> {
  readonly #keyOf: (row: Row) => string;
  readonly #sortBy: (row: Row) => SortKey;
  readonly #compare: (a: Entry<Row>, b: Entry<Row>) => number;
  readonly #entries = new Map<string, Entry<Row>>();
  #order: Entry<Row>[] = [];
  #updates = 0;

  constructor(keyOf: (row: Row) => string, sortBy: (row: Row) => SortKey, isDescending: boolean) {
    this.#keyOf = keyOf;
    this.#sortBy = sortBy;
    const sign = isDescending ? -1 : 1;
    this.#compare = ({ by: a }, { by: b }) => {
      if (a === b) return 0;
      if (a === null || b === null) return a === null ? 1 : -1;
      return a < b ? -sign : sign;
    };
  }

  /** These rows, and no others, in order. */
  of(rows: readonly Row[]): readonly Row[] {
    this.#updates += 1;
    let isOutOfOrder = false;
    for (const row of rows) {
      const key = this.#keyOf(row);
      const entry = this.#entries.get(key);
      if (!entry) {
        const made = { row, by: this.#sortBy(row), at: this.#updates };
        this.#entries.set(key, made);
        this.#order.push(made);
        isOutOfOrder = true;
        continue;
      }
      entry.at = this.#updates;
      if (entry.row === row) continue;
      const by = this.#sortBy(row);
      isOutOfOrder ||= by !== entry.by;
      entry.row = row;
      entry.by = by;
    }
    if (this.#entries.size > rows.length) this.#forget();
    if (isOutOfOrder) this.#order.sort(this.#compare);
    return this.#order.map(({ row }) => row);
  }

  #forget(): void {
    this.#order = this.#order.filter(({ at }) => at === this.#updates);
    for (const [key, { at }] of this.#entries) if (at !== this.#updates) this.#entries.delete(key);
  }
}

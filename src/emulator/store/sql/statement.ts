/** What a statement can be given. A list goes with `Dialect.isIn`. */
export type SqlValue = string | number | Buffer | null | readonly (string | number | Buffer)[];

/** A statement to run now, with its values. */
export interface Query {
  readonly statement: Statement<unknown>;
  readonly values: readonly SqlValue[];
}

export interface Result {
  readonly rows: readonly unknown[];
  /** Rows inserted, updated or deleted. */
  readonly changes: number;
}

/**
 * What is to be done in a database, told as it goes: it yields its queries and is resumed with their results. One engine
 * answers at once, another after a while; what is done is written once for both.
 */
export type Work<T> = Generator<Query, T, Result>;

/** SQL with `$1`, `$2`, … for its values, in what both dialects have in common. Made once, run often. */
export class Statement<Row> {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  *all(...values: readonly SqlValue[]): Work<readonly Row[]> {
    const { rows } = yield { statement: this, values };
    return rows as readonly Row[];
  }

  *first(...values: readonly SqlValue[]): Work<Row | undefined> {
    const { rows } = yield { statement: this, values };
    return rows[0] as Row | undefined;
  }

  /** Resolves to how many rows it changed. */
  *run(...values: readonly SqlValue[]): Work<number> {
    return (yield { statement: this, values }).changes;
  }
}

import type Database from "better-sqlite3";
import type { Engine } from "../sql/engine.ts";
import type { Query, Result, SqlValue, Statement, Work } from "../sql/statement.ts";
import type { SqliteDatabase } from "./database.ts";
import { sqliteDialect } from "./dialect.ts";
import type { GroupCommit } from "./group-commit.ts";

type Bindable = string | number | bigint | Buffer | null;

interface Prepared {
  readonly statement: Database.Statement<Bindable[]>;
  /** Which of the values each `?` takes. */
  readonly order: readonly number[];
  readonly isPlain: boolean;
}

/** Work on SQLite never waits: it runs from its beginning to its end within one turn of the event loop. */
export class SqliteEngine implements Engine {
  readonly dialect = sqliteDialect;
  readonly #db: SqliteDatabase;
  readonly #commit: GroupCommit;
  readonly #prepared = new Map<Statement<unknown>, Prepared>();

  constructor(db: SqliteDatabase, commit: GroupCommit) {
    this.#db = db;
    this.#commit = commit;
  }

  async read<T>(work: () => Work<T>): Promise<T> {
    return this.#run(work());
  }

  async readLasting<T>(work: () => Work<T>): Promise<T> {
    const found = this.#run(work());
    await this.#commit.durable();
    return found;
  }

  write<T>(work: () => Work<T>): Promise<T> {
    return this.#commit.run(() => this.#run(work()));
  }

  writeOnce<T>(work: () => Work<T>): Promise<T> {
    return this.write(work);
  }

  #run<T>(work: Work<T>): T {
    let step = work.next();
    while (!step.done) step = work.next(this.#query(step.value));
    return step.value;
  }

  #query({ statement, values }: Query): Result {
    let prepared = this.#prepared.get(statement);
    if (!prepared) {
      prepared = prepare(this.#db, statement);
      this.#prepared.set(statement, prepared);
    }
    const bound = prepared.isPlain
      ? values.map(bindable)
      : prepared.order.map((at) => bindable(values[at] ?? null));
    if (prepared.statement.reader) return { rows: prepared.statement.all(...bound), changes: 0 };
    return { rows: [], changes: prepared.statement.run(...bound).changes };
  }
}

function prepare(db: SqliteDatabase, { text }: Statement<unknown>): Prepared {
  const order: number[] = [];
  const sql = text.replaceAll(/\$(\d+)/g, (_, number: string) => {
    order.push(Number(number) - 1);
    // Where a bare `?` is compared for equality SQLite compiles the statement anew for each value (docs/adr/0018-what-a-write-costs.md).
    return "+?";
  });
  return {
    statement: db.prepare<Bindable[]>(sql),
    order,
    isPlain: order.every((value, index) => value === index),
  };
}

function bindable(value: SqlValue): Bindable {
  if (value === null || typeof value !== "object" || Buffer.isBuffer(value)) return value;
  return JSON.stringify(value);
}

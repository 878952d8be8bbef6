import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { DatabaseError, type Pool, type PoolClient } from "pg";
import { ConflictError, type Engine } from "../sql/engine.ts";
import type { Query, Result, SqlValue, Statement, Work } from "../sql/statement.ts";
import { postgresDialect } from "./dialect.ts";
import { escapeNul } from "./nul-escape.ts";

/** Somebody else was in the way; begun anew, the work finds what they did (postgresql.org/docs, "Error Codes"). */
const conflicts = new Set([
  "23505", // unique_violation
  "40001", // serialization_failure
  "40P01", // deadlock_detected
]);

const maxAttempts = 10;
const maxPauseMs = 50;

type Runner = Pick<PoolClient, "query">;

/** Work on PostgreSQL: each transaction on a connection of the pool, at READ COMMITTED with the rows it needs locked. */
export class PostgresEngine implements Engine {
  readonly dialect = postgresDialect;
  readonly #pool: Pool;
  readonly #names = new Map<Statement<unknown>, string>();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  read<T>(work: () => Work<T>): Promise<T> {
    return this.#run(this.#pool, work());
  }

  /** PostgreSQL shows nobody what is not on the disk yet. */
  readLasting<T>(work: () => Work<T>): Promise<T> {
    return this.read(work);
  }

  async write<T>(work: () => Work<T>): Promise<T> {
    return again(() => this.#transaction(work));
  }

  writeOnce<T>(work: () => Work<T>): Promise<T> {
    return again(() => this.#run(this.#pool, work()));
  }

  async #transaction<T>(work: () => Work<T>): Promise<T> {
    const client = await this.#pool.connect();
    let broken: unknown;
    try {
      await client.query("BEGIN");
      try {
        const result = await this.#run(client, work());
        await client.query("COMMIT");
        return result;
      } catch (error) {
        // A connection on which even this fails is not used again.
        await client.query("ROLLBACK").catch((reason: unknown) => {
          broken = reason;
        });
        throw error;
      }
    } catch (error) {
      if (!(error instanceof DatabaseError || error instanceof ConflictError)) broken ??= error;
      throw error;
    } finally {
      client.release(broken !== undefined);
    }
  }

  async #run<T>(runner: Runner, work: Work<T>): Promise<T> {
    let step = work.next();
    while (!step.done) step = work.next(await this.#query(runner, step.value));
    return step.value;
  }

  async #query(runner: Runner, { statement, values }: Query): Promise<Result> {
    let name = this.#names.get(statement);
    if (name === undefined) {
      name = `s${this.#names.size}`;
      this.#names.set(statement, name);
    }
    const { rows, rowCount } = await runner.query({ name, text: statement.text, values: values.map(bound) });
    return { rows, changes: rowCount ?? 0 };
  }
}

async function again<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = maxAttempts - 1; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      const isConflict =
        error instanceof ConflictError ||
        (error instanceof DatabaseError && error.code !== undefined && conflicts.has(error.code));
      if (!isConflict || left === 0) throw error;
      await delay(randomInt(maxPauseMs));
    }
  }
}

function bound(value: SqlValue): SqlValue {
  if (typeof value === "string") return escapeNul(value);
  if (!Array.isArray(value)) return value;
  return value.map((member: string | number | Buffer) =>
    typeof member === "string" ? escapeNul(member) : member,
  );
}

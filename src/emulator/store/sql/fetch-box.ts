import type { Point, Value } from "../types.ts";
import type { Dialect } from "./engine.ts";
import type { PointWriter } from "./point-writer.ts";
import { Statement, type Work } from "./statement.ts";

const alias = "engine_fetch";

/** The dataport in which commands wait, of any gateway, inside the caller's transaction. */
export class FetchBox {
  readonly #writer: PointWriter;
  readonly #lock;
  readonly #latest;
  readonly #after;

  constructor(dialect: Dialect, writer: PointWriter) {
    this.#writer = writer;
    const points = "FROM dataport JOIN point ON point.dataport_id = dataport.id";
    this.#lock = new Statement(
      `SELECT id FROM dataport WHERE client_id = $1 AND alias = $2 ${dialect.forUpdate("dataport")}`,
    );
    this.#latest = new Statement<Point>(
      `SELECT point.ts, point.value ${points} AND point.ts = dataport.current_ts
       WHERE dataport.client_id = $1 AND dataport.alias = $2`,
    );
    this.#after = new Statement<Point>(
      `SELECT point.ts, point.value ${points} AND point.ts <= dataport.current_ts
       WHERE dataport.client_id = $1 AND dataport.alias = $2 AND point.ts > $3 ORDER BY point.ts LIMIT 1`,
    );
  }

  /** The command that waits; empty where none does. */
  *waiting(clientId: number): Work<string> {
    return (yield* this.#latest.first(clientId, alias))?.value.toString() ?? "";
  }

  /** The same, and nobody else writes there before this transaction ends. */
  *hold(clientId: number): Work<string> {
    // Locked first and read then: what was read before waiting for the lock would be of the past.
    yield* this.#lock.first(clientId, alias);
    return yield* this.waiting(clientId);
  }

  /** Writes a command (or, empty, withdraws it). Resolves to the second that it got; undefined: there is no such dataport. */
  write(clientId: number, value: Value, now: number): Work<number | undefined> {
    return this.#writer.write(clientId, alias, value, now);
  }

  /** What it held next, after the value of this second. */
  *nextAfter(clientId: number, ts: number): Work<string | undefined> {
    return (yield* this.#after.first(clientId, alias, ts))?.value.toString();
  }
}

import { inOrder } from "../sql/dataports.ts";
import { type DataportOptions, type PointWriter, pruneBeyond } from "../sql/point-writer.ts";
import { Statement, type Work } from "../sql/statement.ts";
import type { Reading, Write } from "../store.ts";
import type { Point, Value } from "../types.ts";

/** Calls the functions of point-functions.ts. */
export class PostgresPointWriter implements PointWriter {
  readonly #write;
  readonly #writeRead = new Statement<Reading>(
    "SELECT alias, ts, value FROM write_read($1, $2, $3, $4, $5, $6 = 1, $7, $8)",
  );
  readonly #record = new Statement("SELECT record_values($1, $2, $3, $4, $5, $6 = 1, $7, $8)");
  /** createMissing (1 or 0), points kept, and the number beyond which the rest goes. */
  readonly #bounds: readonly [number, number, number];

  constructor({ createMissing, historyLimit }: DataportOptions) {
    this.#write = new Statement<{ ts: number | null }>(
      "SELECT write_value($1, $2, $3, $4, $5 = 1, $6, $7) AS ts",
    );
    this.#bounds = [createMissing ? 1 : 0, historyLimit, pruneBeyond(historyLimit)];
  }

  *write(clientId: number, alias: string, value: Value, now: number): Work<number | undefined> {
    return (yield* this.#write.first(clientId, alias, value, now, ...this.#bounds))?.ts ?? undefined;
  }

  *writeRead(
    clientId: number,
    writes: readonly Write[],
    reads: readonly string[],
    now: number,
  ): Work<readonly Reading[]> {
    const aliases = writes.map(({ alias }) => alias);
    const values = writes.map(({ value }) => value);
    const readings = yield* this.#writeRead.all(clientId, aliases, values, reads, now, ...this.#bounds);
    return inOrder(readings, reads);
  }

  *record(clientId: number, alias: string, points: readonly Point[], now: number): Work<void> {
    const times = points.map(({ ts }) => ts);
    const values = points.map(({ value }) => value);
    yield* this.#record.run(clientId, alias, times, values, now, ...this.#bounds);
  }
}

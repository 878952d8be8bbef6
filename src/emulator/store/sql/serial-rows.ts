import { rangeHolds } from "../serial-ranges.ts";
import type { Page, Serial, SerialRange, SerialStatus } from "../types.ts";
import type { Dialect } from "./engine.ts";
import { Statement, type Work } from "./statement.ts";

/** A serial with the client that it has, or may come to have. */
export interface SerialRow {
  readonly id: number;
  readonly sn: string;
  readonly extra: string;
  readonly clientId: number | null;
  readonly rid: string | null;
  readonly cik: string | null;
  readonly windowEnds: number | null;
}

/** What a serial's row says of it at this time. */
export function statusOf(row: Pick<SerialRow, "clientId" | "cik" | "windowEnds">, now: number): SerialStatus {
  if (row.clientId === null) return "";
  if (row.cik !== null) return "activated";
  return row.windowEnds !== null && row.windowEnds <= now ? "expired" : "notactivated";
}

export function toSerial(row: SerialRow, now: number): Serial {
  return { sn: row.sn, extra: row.extra, status: statusOf(row, now), rid: row.rid ?? "" };
}

/** The statements that several of the serial store's parts need. */
export class SerialRows {
  readonly #find;
  readonly #lock;
  readonly #list;
  readonly #insert = new Statement(
    "INSERT INTO serial (model_id, sn, extra) VALUES ($1, $2, $3) ON CONFLICT (model_id, sn) DO NOTHING",
  );
  readonly #ranges = new Statement<{ spec: string }>(
    "SELECT spec FROM serial_range WHERE model_id = $1 ORDER BY spec",
  );
  readonly #log = new Statement(
    "INSERT INTO activation_log (serial_id, ts, connection, entry) VALUES ($1, $2, $3, $4)",
  );

  constructor(dialect: Dialect) {
    const select = `SELECT serial.id, serial.sn, serial.extra, serial.client_id AS "clientId", client.rid, client.cik,
        client.window_ends AS "windowEnds"
      FROM serial LEFT JOIN client ON client.id = serial.client_id WHERE serial.model_id = $1`;
    this.#find = new Statement<SerialRow>(`${select} AND serial.sn = $2`);
    this.#lock = new Statement(
      `SELECT id FROM serial WHERE model_id = $1 AND sn = $2 ${dialect.forUpdate("serial")}`,
    );
    this.#list = new Statement<SerialRow>(`${select} ORDER BY serial.id LIMIT $2 OFFSET $3`);
  }

  find(modelId: number, sn: string): Work<SerialRow | undefined> {
    return this.#find.first(modelId, sn);
  }

  /** The same, and no other transaction changes the serial or its client before this one ends. */
  *hold(modelId: number, sn: string): Work<SerialRow | undefined> {
    // Locked first and read then: what was read before waiting for the lock would be of the past.
    yield* this.#lock.first(modelId, sn);
    return yield* this.find(modelId, sn);
  }

  list(modelId: number, { offset, limit }: Page): Work<readonly SerialRow[]> {
    return this.#list.all(modelId, limit, offset);
  }

  *insert(modelId: number, sn: string, extra: string): Work<boolean> {
    return (yield* this.#insert.run(modelId, sn, extra)) === 1;
  }

  *ranges(modelId: number): Work<SerialRange[]> {
    return (yield* this.#ranges.all(modelId)).map(({ spec }) => JSON.parse(spec) as SerialRange);
  }

  *inRange(modelId: number, sn: string): Work<boolean> {
    return (yield* this.ranges(modelId)).some((range) => rangeHolds(range, sn));
  }

  /** The serial's row, held, and made if only a range (or `open`) allows it so far. */
  *materialise(modelId: number, sn: string, open: boolean): Work<SerialRow | undefined> {
    const row = yield* this.hold(modelId, sn);
    if (row || !(open || (yield* this.inRange(modelId, sn)))) return row;
    yield* this.insert(modelId, sn, "");
    return yield* this.hold(modelId, sn);
  }

  *log(row: SerialRow, ts: number, connection: string, entry: string): Work<void> {
    yield* this.#log.run(row.id, ts, connection, entry);
  }
}

import { rangeHolds } from "../serial-ranges.ts";
import type { Page, Serial, SerialRange, SerialStatus } from "../types.ts";
import type { SqliteDatabase } from "./database.ts";

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
  readonly #list;
  readonly #insert;
  readonly #ranges;
  readonly #log;

  constructor(db: SqliteDatabase) {
    const select = `SELECT serial.id, serial.sn, serial.extra, serial.client_id AS clientId, client.rid, client.cik,
        client.window_ends AS windowEnds
      FROM serial LEFT JOIN client ON client.id = serial.client_id WHERE serial.model_id = ?`;
    this.#find = db.prepare<[number, string], SerialRow>(`${select} AND serial.sn = ?`);
    this.#list = db.prepare<[number, number, number], SerialRow>(
      `${select} ORDER BY serial.id LIMIT ? OFFSET ?`,
    );
    this.#insert = db.prepare(
      "INSERT INTO serial (model_id, sn, extra) VALUES (?, ?, ?) ON CONFLICT (model_id, sn) DO NOTHING",
    );
    this.#ranges = db
      .prepare<[number], string>("SELECT spec FROM serial_range WHERE model_id = ? ORDER BY spec")
      .pluck();
    this.#log = db.prepare(
      "INSERT INTO activation_log (serial_id, ts, connection, entry) VALUES (?, ?, ?, ?)",
    );
  }

  find(modelId: number, sn: string): SerialRow | undefined {
    return this.#find.get(modelId, sn);
  }

  list(modelId: number, { offset, limit }: Page): SerialRow[] {
    return this.#list.all(modelId, limit, offset);
  }

  insert(modelId: number, sn: string, extra: string): boolean {
    return this.#insert.run(modelId, sn, extra).changes === 1;
  }

  ranges(modelId: number): SerialRange[] {
    return this.#ranges.all(modelId).map((spec) => JSON.parse(spec) as SerialRange);
  }

  inRange(modelId: number, sn: string): boolean {
    return this.ranges(modelId).some((range) => rangeHolds(range, sn));
  }

  /** The serial's row, made if only a range (or `open`) allows it so far. */
  materialise(modelId: number, sn: string, open: boolean): SerialRow | undefined {
    const row = this.find(modelId, sn);
    if (row || !(open || this.inRange(modelId, sn))) return row;
    this.insert(modelId, sn, "");
    return this.find(modelId, sn);
  }

  log(row: SerialRow, ts: number, connection: string, entry: string): void {
    this.#log.run(row.id, ts, connection, entry);
  }
}

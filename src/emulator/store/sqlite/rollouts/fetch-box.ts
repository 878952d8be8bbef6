import { gatewayFacts } from "../../../fleet/facts.ts";
import type { VersionsBefore } from "../../../rollouts/undo.ts";
import type { Point } from "../../types.ts";
import type { SqliteDatabase } from "../database.ts";
import type { PointWriter } from "../point-writer.ts";

const alias = "engine_fetch";

/** The dataport in which commands wait, of any gateway, inside the caller's transaction. */
export class FetchBox {
  readonly #writer: PointWriter;
  readonly #latest;
  readonly #after;
  readonly #since;

  constructor(db: SqliteDatabase, writer: PointWriter) {
    this.#writer = writer;
    const points = "FROM dataport JOIN point ON point.dataport_id = dataport.id";
    this.#latest = db.prepare<[number, string], Point>(
      `SELECT point.ts, point.value ${points} AND point.ts = dataport.current_ts
       WHERE dataport.client_id = ? AND dataport.alias = ?`,
    );
    this.#after = db.prepare<[number, string, number], Point>(
      `SELECT point.ts, point.value ${points} AND point.ts <= dataport.current_ts
       WHERE dataport.client_id = ? AND dataport.alias = ? AND point.ts > ? ORDER BY point.ts LIMIT 1`,
    );
    this.#since = db.prepare<[number, string, number], Point>(
      `SELECT point.ts, point.value ${points}
       WHERE dataport.client_id = ? AND dataport.alias = ? AND point.ts >= ? ORDER BY point.ts DESC LIMIT 50`,
    );
  }

  /** The command that waits; empty where none does. */
  waiting(clientId: number): string {
    return this.#latest.get(clientId, alias)?.value.toString() ?? "";
  }

  /** Writes a command (or, empty, withdraws it). Resolves to the second that it got; undefined: there is no such dataport. */
  write(clientId: number, text: string, now: number): number | undefined {
    this.#writer.write(clientId, alias, Buffer.from(text), now);
    return this.#latest.get(clientId, alias)?.ts;
  }

  /** What it held next, after the value of this second. */
  nextAfter(clientId: number, ts: number): string | undefined {
    return this.#after.get(clientId, alias, ts)?.value.toString();
  }

  /** The newest results since then, newest first. */
  results(clientId: number, since: number): string[] {
    return this.#since.all(clientId, "fetch_status", since).map(({ value }) => value.toString());
  }

  /** Versions of its apps as it last reported them. */
  versions(clientId: number): VersionsBefore {
    const reading = this.#latest.get(clientId, "engine_report");
    if (!reading) return {};
    const report = { ts: reading.ts, text: reading.value.toString() };
    const { apps } = gatewayFacts(new Map([["engine_report", report]]));
    return Object.fromEntries(apps.map(({ name, version }) => [name, version]));
  }
}

import type { Point, Value } from "../types.ts";
import type { SqliteDatabase } from "./database.ts";
import type { DataportOptions } from "./dataports.ts";
import { newRid } from "./secrets.ts";

interface State {
  id: number;
  currentTs: number | null;
  points: number;
}

/**
 * A record further ahead of the server's clock is kept as history but never becomes the latest value: every later
 * write, stamped after the latest, would inherit the wrong year.
 */
const maxAheadS = 600;

/** Adds values to dataports, inside the caller's transaction. */
export class PointWriter {
  readonly #options: DataportOptions;
  readonly #find;
  readonly #create;
  readonly #insert;
  readonly #advance;
  readonly #count;
  readonly #prune;

  constructor(db: SqliteDatabase, options: DataportOptions) {
    this.#options = options;
    this.#find = db.prepare<[number, string], State>(
      "SELECT id, current_ts AS currentTs, points FROM dataport WHERE client_id = ? AND alias = ?",
    );
    this.#create = db.prepare(
      `INSERT INTO dataport (client_id, rid, alias, name, format, created_at) VALUES (?, ?, ?, ?, 'string', ?)`,
    );
    this.#insert = db.prepare(
      "INSERT INTO point (dataport_id, ts, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    );
    this.#advance = db.prepare("UPDATE dataport SET current_ts = ?, points = ? WHERE id = ?");
    this.#count = db.prepare<[number], number>("SELECT count(*) FROM point WHERE dataport_id = ?").pluck();
    this.#prune = db.prepare(
      `DELETE FROM point WHERE dataport_id = @id AND ts < (
         SELECT ts FROM point WHERE dataport_id = @id ORDER BY ts DESC LIMIT 1 OFFSET @keep) AND ts IS NOT @currentTs`,
    );
  }

  /** A value as of now: the latest from here on. */
  write(clientId: number, alias: string, value: Value, now: number): void {
    const state = this.#dataport(clientId, alias, now);
    if (!state) return;
    let ts = state.currentTs === null || state.currentTs < now ? now : state.currentTs + 1;
    // Only a record ahead of the clock can be in the way.
    while (this.#insert.run(state.id, ts, value).changes === 0) ts += 1;
    state.currentTs = ts;
    state.points += 1;
    this.#store(state);
  }

  /** Values of other times; the newest becomes the latest if nothing newer is there. */
  record(clientId: number, alias: string, points: readonly Point[], now: number): void {
    const state = this.#dataport(clientId, alias, now);
    if (!state) return;
    for (const { ts, value } of points) {
      if (this.#insert.run(state.id, ts, value).changes === 0) continue;
      state.points += 1;
      if (ts <= now + maxAheadS && (state.currentTs === null || ts > state.currentTs)) state.currentTs = ts;
    }
    this.#store(state);
  }

  #dataport(clientId: number, alias: string, now: number): State | undefined {
    const state = this.#find.get(clientId, alias);
    if (state || !this.#options.createMissing) return state;
    const id = Number(this.#create.run(clientId, newRid(), alias, alias, now).lastInsertRowid);
    return { id, currentTs: null, points: 0 };
  }

  #store(state: State): void {
    const { historyLimit } = this.#options;
    // A quarter of slack: pruning at every write would double its cost.
    if (state.points > historyLimit * 1.25 + 8) {
      this.#prune.run({ id: state.id, keep: historyLimit - 1, currentTs: state.currentTs });
      state.points = this.#count.get(state.id) ?? 0;
    }
    this.#advance.run(state.currentTs, state.points, state.id);
  }
}

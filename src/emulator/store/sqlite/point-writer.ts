import { LatestValues } from "../sql/dataports.ts";
import { type DataportOptions, maxAheadS, type PointWriter, pruneBeyond } from "../sql/point-writer.ts";
import { newRid } from "../sql/secrets.ts";
import { Statement, type Work } from "../sql/statement.ts";
import type { Reading, Write } from "../store.ts";
import type { Point, Value } from "../types.ts";
import { sqliteDialect } from "./dialect.ts";

interface State {
  id: number;
  currentTs: number | null;
  points: number;
}

/** Statement by statement: each costs a function call. */
export class SqlitePointWriter implements PointWriter {
  readonly #options: DataportOptions;
  readonly #latest = new LatestValues(sqliteDialect);
  readonly #find = new Statement<State>(
    'SELECT id, current_ts AS "currentTs", points FROM dataport WHERE client_id = $1 AND alias = $2',
  );
  readonly #create = new Statement<{ id: number }>(
    `INSERT INTO dataport (client_id, rid, alias, name, format, created_at) VALUES ($1, $2, $3, $3, 'string', $4)
     RETURNING id`,
  );
  readonly #insert = new Statement(
    "INSERT INTO point (dataport_id, ts, value) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
  );
  readonly #advance = new Statement("UPDATE dataport SET current_ts = $1, points = $2 WHERE id = $3");
  readonly #count = new Statement<{ count: number }>(
    "SELECT count(*) AS count FROM point WHERE dataport_id = $1",
  );
  readonly #prune = new Statement(
    `DELETE FROM point WHERE dataport_id = $1 AND ts < (
       SELECT ts FROM point WHERE dataport_id = $1 ORDER BY ts DESC LIMIT 1 OFFSET $2) AND ts IS NOT $3`,
  );

  constructor(options: DataportOptions) {
    this.#options = options;
  }

  *write(clientId: number, alias: string, value: Value, now: number): Work<number | undefined> {
    const state = yield* this.#dataport(clientId, alias, now);
    if (!state) return undefined;
    let ts = state.currentTs === null || state.currentTs < now ? now : state.currentTs + 1;
    // Only a record ahead of the clock can be in the way.
    while ((yield* this.#insert.run(state.id, ts, value)) === 0) ts += 1;
    state.currentTs = ts;
    state.points += 1;
    yield* this.#store(state);
    return ts;
  }

  *writeRead(
    clientId: number,
    writes: readonly Write[],
    reads: readonly string[],
    now: number,
  ): Work<readonly Reading[]> {
    for (const { alias, value } of writes) yield* this.write(clientId, alias, value, now);
    return yield* this.#latest.read(clientId, reads);
  }

  *record(clientId: number, alias: string, points: readonly Point[], now: number): Work<void> {
    const state = yield* this.#dataport(clientId, alias, now);
    if (!state) return;
    for (const { ts, value } of points) {
      if ((yield* this.#insert.run(state.id, ts, value)) === 0) continue;
      state.points += 1;
      if (ts <= now + maxAheadS && (state.currentTs === null || ts > state.currentTs)) state.currentTs = ts;
    }
    yield* this.#store(state);
  }

  *#dataport(clientId: number, alias: string, now: number): Work<State | undefined> {
    const state = yield* this.#find.first(clientId, alias);
    if (state || !this.#options.createMissing) return state;
    const made = yield* this.#create.first(clientId, newRid(), alias, now);
    return made && { id: made.id, currentTs: null, points: 0 };
  }

  *#store(state: State): Work<void> {
    const { historyLimit } = this.#options;
    if (state.points > pruneBeyond(historyLimit)) {
      yield* this.#prune.run(state.id, historyLimit - 1, state.currentTs);
      state.points = (yield* this.#count.first(state.id))?.count ?? 0;
    }
    yield* this.#advance.run(state.currentTs, state.points, state.id);
  }
}

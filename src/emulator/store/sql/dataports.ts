import type { DataportStore, Reading } from "../store.ts";
import type { Dataport, Point } from "../types.ts";
import type { Dialect, Engine } from "./engine.ts";
import { newRid } from "./secrets.ts";
import { Statement, type Work } from "./statement.ts";
import type { SqlParts } from "./stores.ts";

/** Latest values of some aliases of a client, in the order asked for. */
export class LatestValues {
  readonly #select;

  constructor(dialect: Dialect) {
    this.#select = new Statement<Reading>(
      `SELECT dataport.alias, point.ts, point.value FROM dataport
         JOIN point ON point.dataport_id = dataport.id AND point.ts = dataport.current_ts
       WHERE dataport.client_id = $1 AND ${dialect.isIn("dataport.alias", "$2")}`,
    );
  }

  *read(clientId: number, aliases: readonly string[]): Work<readonly Reading[]> {
    if (aliases.length === 0) return [];
    return inOrder(yield* this.#select.all(clientId, aliases), aliases);
  }
}

export function inOrder(readings: readonly Reading[], aliases: readonly string[]): readonly Reading[] {
  if (readings.length < 2) return readings;
  const byAlias = new Map(readings.map((reading) => [reading.alias, reading]));
  return aliases.flatMap((alias) => byAlias.get(alias) ?? []);
}

/** A gateway acts on what it reads: it is told nothing that a power cut could still take back (`readLasting`). */
export function sqlDataports({ engine, writer }: Pick<SqlParts, "engine" | "writer">): DataportStore {
  const latest = new LatestValues(engine.dialect);
  return {
    writeRead: (clientId, writes, reads, now) =>
      writes.length === 0
        ? engine.readLasting(() => latest.read(clientId, reads))
        : engine.writeOnce(() => writer.writeRead(clientId, writes, reads, now)),
    read: (clientId, aliases) => engine.readLasting(() => latest.read(clientId, aliases)),
    record: (clientId, series, now) =>
      engine.write(function* () {
        for (const { alias, points } of series) yield* writer.record(clientId, alias, points, now);
      }),
    ...histories(engine),
    ...resources(engine),
  };
}

function histories(engine: Engine): Pick<DataportStore, "currentTs" | "nextAfter" | "history"> {
  const currentTs = new Statement<{ ts: number | null }>(
    "SELECT current_ts AS ts FROM dataport WHERE client_id = $1 AND alias = $2",
  );
  const nextAfter = new Statement<Point>(
    `SELECT point.ts, point.value FROM dataport
       JOIN point ON point.dataport_id = dataport.id AND point.ts <= dataport.current_ts
     WHERE dataport.client_id = $1 AND dataport.alias = $2 AND point.ts > $3 ORDER BY point.ts LIMIT 1`,
  );
  const range = "SELECT ts, value FROM point WHERE dataport_id = $1 AND ts BETWEEN $2 AND $3 ORDER BY ts";
  const ascending = new Statement<Point>(`${range} LIMIT $4`);
  const descending = new Statement<Point>(`${range} DESC LIMIT $4`);
  return {
    currentTs: async (clientId, alias) =>
      (await engine.read(() => currentTs.first(clientId, alias)))?.ts ?? undefined,
    nextAfter: (clientId, alias, since) => engine.readLasting(() => nextAfter.first(clientId, alias, since)),
    history: (dataportId, { start, end, limit, sort }) =>
      engine.readLasting(() => (sort === "asc" ? ascending : descending).all(dataportId, start, end, limit)),
  };
}

function resources(
  engine: Engine,
): Pick<DataportStore, "find" | "list" | "create" | "map" | "drop" | "flush"> {
  const select = `SELECT id, rid, alias, name, format, created_at AS "createdAt", current_ts AS "currentTs"
    FROM dataport WHERE client_id = $1`;
  const byAlias = new Statement<Dataport>(`${select} AND alias = $2`);
  const byRid = new Statement<Dataport>(`${select} AND rid = $2`);
  const list = new Statement<Dataport>(`${select} ORDER BY id`);
  const insert = new Statement(
    `INSERT INTO dataport (client_id, rid, alias, name, format, created_at) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (client_id, alias) DO NOTHING`,
  );
  const map = new Statement(
    `UPDATE dataport SET alias = $1 WHERE id = $2 AND NOT EXISTS (
       SELECT 1 FROM dataport AS other
       WHERE other.client_id = dataport.client_id AND other.alias = $1 AND other.id <> dataport.id)`,
  );
  const drop = new Statement("DELETE FROM dataport WHERE id = $1");
  const flushState = new Statement("UPDATE dataport SET current_ts = NULL, points = 0 WHERE id = $1");
  const flushPoints = new Statement("DELETE FROM point WHERE dataport_id = $1");
  return {
    find: (clientId, ref) =>
      engine.read(() =>
        "alias" in ref ? byAlias.first(clientId, ref.alias) : byRid.first(clientId, ref.rid),
      ),
    list: (clientId) => engine.read(() => list.all(clientId)),
    create: (clientId, { alias, name, format, now }) =>
      engine.write(function* () {
        const rid = newRid();
        if ((yield* insert.run(clientId, rid, alias, name, format, now)) === 0) return undefined;
        return yield* byRid.first(clientId, rid);
      }),
    map: (dataportId, alias) =>
      engine.write(() => map.run(alias, dataportId)).then((changes) => changes === 1),
    drop: async (dataportId) => {
      await engine.writeOnce(() => drop.run(dataportId));
    },
    flush: (dataportId) =>
      engine.write(function* () {
        // The dataport first: its row is what a writer waits for.
        yield* flushState.run(dataportId);
        yield* flushPoints.run(dataportId);
      }),
  };
}

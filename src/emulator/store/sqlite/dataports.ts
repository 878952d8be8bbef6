import type { DataportStore, Reading, Series, Write } from "../store.ts";
import type { Dataport, Point } from "../types.ts";
import type { SqliteDatabase } from "./database.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { PointWriter } from "./point-writer.ts";
import { newRid } from "./secrets.ts";

export interface DataportOptions {
  /** A write to an alias that does not exist makes it; otherwise it is skipped. */
  readonly createMissing: boolean;
  /** Points kept per dataport. */
  readonly historyLimit: number;
}

export function sqliteDataports(db: SqliteDatabase, commit: GroupCommit, writer: PointWriter): DataportStore {
  const latest = db.prepare<[number, string], Point>(
    `SELECT point.ts, point.value FROM dataport
       JOIN point ON point.dataport_id = dataport.id AND point.ts = dataport.current_ts
     WHERE dataport.client_id = ? AND dataport.alias = ?`,
  );
  const readAll = (clientId: number, aliases: readonly string[]): Reading[] => {
    const readings: Reading[] = [];
    for (const alias of aliases) {
      const point = latest.get(clientId, alias);
      if (point) readings.push({ alias, ts: point.ts, value: point.value });
    }
    return readings;
  };
  return {
    writeRead: (clientId, writes: readonly Write[], reads, now) =>
      commit.run(() => {
        for (const { alias, value } of writes) writer.write(clientId, alias, value, now);
        return readAll(clientId, reads);
      }),
    read: (clientId, aliases) => durably(commit, () => readAll(clientId, aliases)),
    record: (clientId, series: readonly Series[], now) =>
      commit.run(() => {
        for (const { alias, points } of series) writer.record(clientId, alias, points, now);
      }),
    ...histories(db, commit),
    ...resources(db, commit),
  };
}

/** A gateway acts on what it reads: it is told nothing that a power cut could still take back. */
async function durably<T>(commit: GroupCommit, read: () => T): Promise<T> {
  const found = read();
  await commit.durable();
  return found;
}

function histories(
  db: SqliteDatabase,
  commit: GroupCommit,
): Pick<DataportStore, "currentTs" | "nextAfter" | "history"> {
  const currentTs = db
    .prepare<[number, string], number | null>(
      "SELECT current_ts FROM dataport WHERE client_id = ? AND alias = ?",
    )
    .pluck();
  const nextAfter = db.prepare<[number, string, number], Point>(
    `SELECT point.ts, point.value FROM dataport
       JOIN point ON point.dataport_id = dataport.id AND point.ts <= dataport.current_ts
     WHERE dataport.client_id = ? AND dataport.alias = ? AND point.ts > ? ORDER BY point.ts LIMIT 1`,
  );
  const range = `SELECT ts, value FROM point WHERE dataport_id = ? AND ts BETWEEN ? AND ? ORDER BY ts`;
  const ascending = db.prepare<[number, number, number, number], Point>(`${range} LIMIT ?`);
  const descending = db.prepare<[number, number, number, number], Point>(`${range} DESC LIMIT ?`);
  return {
    currentTs: async (clientId, alias) => currentTs.get(clientId, alias) ?? undefined,
    nextAfter: (clientId, alias, since) => durably(commit, () => nextAfter.get(clientId, alias, since)),
    history: (dataportId, { start, end, limit, sort }) =>
      durably(commit, () => (sort === "asc" ? ascending : descending).all(dataportId, start, end, limit)),
  };
}

function resources(
  db: SqliteDatabase,
  commit: GroupCommit,
): Pick<DataportStore, "find" | "list" | "create" | "map" | "drop" | "flush"> {
  const select = `SELECT id, rid, alias, name, format, created_at AS createdAt, current_ts AS currentTs
    FROM dataport WHERE client_id = ?`;
  const byAlias = db.prepare<[number, string], Dataport>(`${select} AND alias = ?`);
  const byRid = db.prepare<[number, string], Dataport>(`${select} AND rid = ?`);
  const list = db.prepare<[number], Dataport>(`${select} ORDER BY id`);
  const insert = db.prepare(
    `INSERT INTO dataport (client_id, rid, alias, name, format, created_at) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (client_id, alias) DO NOTHING`,
  );
  const map = db.prepare("UPDATE OR IGNORE dataport SET alias = ? WHERE id = ?");
  const drop = db.prepare("DELETE FROM dataport WHERE id = ?");
  const flushPoints = db.prepare("DELETE FROM point WHERE dataport_id = ?");
  const flushState = db.prepare("UPDATE dataport SET current_ts = NULL, points = 0 WHERE id = ?");
  return {
    find: async (clientId, ref) =>
      "alias" in ref ? byAlias.get(clientId, ref.alias) : byRid.get(clientId, ref.rid),
    list: async (clientId) => list.all(clientId),
    create: (clientId, { alias, name, format, now }) =>
      commit.run(() => {
        const rid = newRid();
        if (insert.run(clientId, rid, alias, name, format, now).changes === 0) return undefined;
        return byRid.get(clientId, rid);
      }),
    map: (dataportId, alias) => commit.run(() => map.run(alias, dataportId).changes === 1),
    drop: (dataportId) =>
      commit.run(() => {
        drop.run(dataportId);
      }),
    flush: (dataportId) =>
      commit.run(() => {
        flushPoints.run(dataportId);
        flushState.run(dataportId);
      }),
  };
}

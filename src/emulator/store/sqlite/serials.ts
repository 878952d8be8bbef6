import type { SerialStore } from "../store.ts";
import type { ActivationLogEntry, SerialRange } from "../types.ts";
import { serialLifeCycle } from "./activation.ts";
import type { ClientCache } from "./clients.ts";
import type { SqliteDatabase } from "./database.ts";
import type { GroupCommit } from "./group-commit.ts";
import { SerialRows, toSerial } from "./serial-rows.ts";

export function sqliteSerials(db: SqliteDatabase, commit: GroupCommit, cache: ClientCache): SerialStore {
  const rows = new SerialRows(db);
  const log = db.prepare<[number, string], ActivationLogEntry>(
    `SELECT ts, connection, entry FROM activation_log
     WHERE serial_id = (SELECT id FROM serial WHERE model_id = ? AND sn = ?) ORDER BY id`,
  );
  const extraOf = db.prepare<[number], string>("SELECT extra FROM serial WHERE client_id = ?").pluck();
  const setExtra = db.prepare("UPDATE serial SET extra = ? WHERE client_id = ?");
  return {
    list: async (modelId, page, now) => rows.list(modelId, page).map((row) => toSerial(row, now)),
    find: async (modelId, sn, now) => {
      const row = rows.find(modelId, sn);
      if (row) return toSerial(row, now);
      return rows.inRange(modelId, sn) ? { sn, extra: "", status: "", rid: "" } : undefined;
    },
    add: (modelId, serials) =>
      commit.run(() => {
        const taken = serials.map(({ sn }) => sn).filter((sn) => rows.find(modelId, sn) !== undefined);
        if (taken.length === 0) for (const { sn, extra } of serials) rows.insert(modelId, sn, extra);
        return taken;
      }),
    changeExtra: (clientIds, change) =>
      commit.run(() => {
        let changed = 0;
        for (const clientId of clientIds) {
          const before = extraOf.get(clientId);
          if (before === undefined) continue;
          const after = change(before);
          if (after === before) continue;
          setExtra.run(after, clientId);
          changed += 1;
        }
        return changed;
      }),
    remove: (modelId, sns) => commit.run(() => removeSerials(modelId, sns)),
    log: async (modelId, sn) => log.all(modelId, sn),
    ...serialRanges(db, commit, rows),
    ...serialLifeCycle(db, commit, rows, cache),
  };

  function removeSerials(modelId: number, sns: readonly string[]): number {
    cache.clear();
    let removed = 0;
    for (const sn of sns) {
      const row = rows.find(modelId, sn);
      if (!row) continue;
      removed += 1;
      db.prepare("DELETE FROM serial WHERE id = ?").run(row.id);
      if (row.clientId !== null) db.prepare("DELETE FROM client WHERE id = ?").run(row.clientId);
      db.prepare("DELETE FROM group_member WHERE model_id = ? AND type = 'sn' AND id = ?").run(modelId, sn);
    }
    return removed;
  }
}

function serialRanges(
  db: SqliteDatabase,
  commit: GroupCommit,
  rows: SerialRows,
): Pick<SerialStore, "ranges" | "addRanges" | "removeRanges"> {
  const insert = db.prepare("INSERT INTO serial_range (model_id, spec) VALUES (?, ?) ON CONFLICT DO NOTHING");
  const find = db.prepare("SELECT 1 FROM serial_range WHERE model_id = ? AND spec = ?");
  const remove = db.prepare("DELETE FROM serial_range WHERE model_id = ? AND spec = ?");
  // One spelling per range, so that removing finds what adding wrote.
  const spell = ({ format, length, casing, first, last }: SerialRange) =>
    JSON.stringify({ format, length, casing, first, last });
  return {
    ranges: async (modelId) => rows.ranges(modelId),
    addRanges: (modelId, ranges) =>
      commit.run(() => {
        if (ranges.some((range) => find.get(modelId, spell(range)) !== undefined)) return false;
        for (const range of ranges) insert.run(modelId, spell(range));
        return true;
      }),
    removeRanges: (modelId, ranges) =>
      commit.run(() => ranges.reduce((count, range) => count + remove.run(modelId, spell(range)).changes, 0)),
  };
}

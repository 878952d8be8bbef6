import type { SerialStore } from "../store.ts";
import type { ActivationLogEntry, SerialRange } from "../types.ts";
import { serialLifeCycle } from "./activation.ts";
import { ConflictError, type Engine } from "./engine.ts";
import { SerialRows, toSerial } from "./serial-rows.ts";
import { Statement, type Work } from "./statement.ts";
import type { SqlParts } from "./stores.ts";

export function sqlSerials({ engine, cache }: Pick<SqlParts, "engine" | "cache">): SerialStore {
  const rows = new SerialRows(engine.dialect);
  const log = new Statement<ActivationLogEntry>(
    `SELECT ts, connection, entry FROM activation_log
     WHERE serial_id = (SELECT id FROM serial WHERE model_id = $1 AND sn = $2) ORDER BY id`,
  );
  const holdExtra = new Statement<{ extra: string }>(
    `SELECT extra FROM serial WHERE client_id = $1 ${engine.dialect.forUpdate("serial")}`,
  );
  const setExtra = new Statement("UPDATE serial SET extra = $1 WHERE client_id = $2");
  const removeSerial = new Statement("DELETE FROM serial WHERE id = $1");
  const removeClient = new Statement("DELETE FROM client WHERE id = $1");
  const leaveGroups = new Statement(
    "DELETE FROM group_member WHERE model_id = $1 AND type = 'sn' AND id = $2",
  );

  function* find(modelId: number, sn: string, now: number) {
    const row = yield* rows.find(modelId, sn);
    if (row) return toSerial(row, now);
    const isAllowed = yield* rows.inRange(modelId, sn);
    return isAllowed ? ({ sn, extra: "", status: "", rid: "" } as const) : undefined;
  }

  function* add(modelId: number, serials: readonly { readonly sn: string; readonly extra: string }[]) {
    const taken: string[] = [];
    for (const { sn } of serials) if (yield* rows.find(modelId, sn)) taken.push(sn);
    if (taken.length > 0) return taken;
    const given = new Set<string>();
    for (const { sn, extra } of serials) {
      const isNew = yield* rows.insert(modelId, sn, extra);
      if (!isNew && !given.has(sn)) throw new ConflictError("a serial was added meanwhile");
      given.add(sn);
    }
    return taken;
  }

  function* changeExtra(clientIds: readonly number[], change: (extra: string) => string): Work<number> {
    let changed = 0;
    // In one order everywhere, so that two who change many do not wait for each other.
    for (const clientId of [...clientIds].sort((a, b) => a - b)) {
      const before = (yield* holdExtra.first(clientId))?.extra;
      if (before === undefined) continue;
      const after = change(before);
      if (after === before) continue;
      yield* setExtra.run(after, clientId);
      changed += 1;
    }
    return changed;
  }

  function* remove(modelId: number, sns: readonly string[]): Work<number> {
    cache.clear();
    let removed = 0;
    for (const sn of sns) {
      const row = yield* rows.hold(modelId, sn);
      if (!row) continue;
      removed += 1;
      yield* removeSerial.run(row.id);
      if (row.clientId !== null) yield* removeClient.run(row.clientId);
      yield* leaveGroups.run(modelId, sn);
    }
    return removed;
  }

  return {
    list: async (modelId, page, now) =>
      (await engine.read(() => rows.list(modelId, page))).map((row) => toSerial(row, now)),
    find: (modelId, sn, now) => engine.read(() => find(modelId, sn, now)),
    add: (modelId, serials) => engine.write(() => add(modelId, serials)),
    changeExtra: (clientIds, change) => engine.write(() => changeExtra(clientIds, change)),
    remove: (modelId, sns) => engine.write(() => remove(modelId, sns)),
    log: (modelId, sn) => engine.read(() => log.all(modelId, sn)),
    ...serialRanges(engine, rows),
    ...serialLifeCycle(engine, rows, cache),
  };
}

function serialRanges(
  engine: Engine,
  rows: SerialRows,
): Pick<SerialStore, "ranges" | "addRanges" | "removeRanges"> {
  const insert = new Statement(
    "INSERT INTO serial_range (model_id, spec) VALUES ($1, $2) ON CONFLICT DO NOTHING",
  );
  const find = new Statement("SELECT 1 AS found FROM serial_range WHERE model_id = $1 AND spec = $2");
  const remove = new Statement("DELETE FROM serial_range WHERE model_id = $1 AND spec = $2");
  // One spelling per range, so that removing finds what adding wrote.
  const spell = ({ format, length, casing, first, last }: SerialRange) =>
    JSON.stringify({ format, length, casing, first, last });

  function* add(modelId: number, ranges: readonly SerialRange[]): Work<boolean> {
    for (const range of ranges) if (yield* find.first(modelId, spell(range))) return false;
    for (const spec of new Set(ranges.map(spell))) {
      if ((yield* insert.run(modelId, spec)) === 0) throw new ConflictError("a range was added meanwhile");
    }
    return true;
  }

  return {
    ranges: (modelId) => engine.read(() => rows.ranges(modelId)),
    addRanges: (modelId, ranges) => engine.write(() => add(modelId, ranges)),
    removeRanges: (modelId, ranges) =>
      engine.write(function* () {
        let count = 0;
        for (const range of ranges) count += yield* remove.run(modelId, spell(range));
        return count;
      }),
  };
}

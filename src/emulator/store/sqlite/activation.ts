import type { ActivateRequest, Activation, Enabled, EnableRequest, SerialStore } from "../store.ts";
import { type ClientCache, ClientMaker } from "./clients.ts";
import type { SqliteDatabase } from "./database.ts";
import type { GroupCommit } from "./group-commit.ts";
import { newCik } from "./secrets.ts";
import { type SerialRow, type SerialRows, statusOf } from "./serial-rows.ts";

/** How long a serial may be activated after it was enabled. */
const activationWindowS = 24 * 3600;

/** The life of a serial: added → enabled (window open) → activated → enabled again (CIK void) … → disabled. */
export function serialLifeCycle(
  db: SqliteDatabase,
  commit: GroupCommit,
  rows: SerialRows,
  cache: ClientCache,
): Pick<SerialStore, "activate" | "enable" | "disable"> {
  const maker = new ClientMaker(db);
  const activateClient = db.prepare("UPDATE client SET cik = ?, window_ends = NULL WHERE id = ?");
  const openWindow = db.prepare("UPDATE client SET cik = NULL, window_ends = ? WHERE id = ?");
  const closeWindow = db.prepare("UPDATE client SET cik = NULL, window_ends = NULL WHERE id = ?");
  const setClient = db.prepare("UPDATE serial SET client_id = ? WHERE id = ?");

  const giveCik = (row: SerialRow, clientId: number, request: ActivateRequest): Activation => {
    const cik = newCik();
    activateClient.run(cik, clientId);
    rows.log(row, request.now, request.connection, "activated");
    return { outcome: "activated", cik, clientId };
  };

  const activate = (request: ActivateRequest): Activation => {
    const { model, sn, open, now, connection } = request;
    const row = rows.materialise(model.id, sn, open);
    if (!row) return { outcome: "unknown" };
    if (row.clientId === null && open) {
      const made = maker.make(model, now);
      setClient.run(made.id, row.id);
      return giveCik(row, made.id, request);
    }
    const status = statusOf(row, now);
    if (row.clientId !== null && status === "notactivated" && row.windowEnds !== null) {
      return giveCik(row, row.clientId, request);
    }
    const reason =
      status === "activated"
        ? "already activated"
        : status === "expired"
          ? "activation window closed"
          : "not enabled";
    rows.log(row, now, connection, `refused: ${reason}`);
    return { outcome: "refused", reason };
  };

  const enable = ({ model, sn, oldSn, now, connection }: EnableRequest): Enabled => {
    const row = rows.materialise(model.id, sn, false);
    if (!row) return { outcome: "unknown" };
    cache.clear();
    const windowEnds = now + activationWindowS;
    if (oldSn !== undefined && oldSn !== sn) {
      const old = rows.find(model.id, oldSn);
      if (old?.clientId == null || old.rid === null) return { outcome: "unknown-old" };
      if (row.clientId !== null) return { outcome: "taken" };
      setClient.run(null, old.id);
      setClient.run(old.clientId, row.id);
      openWindow.run(windowEnds, old.clientId);
      rows.log(old, now, connection, `moved to ${sn}`);
      rows.log(row, now, connection, `enabled, moved from ${oldSn}`);
      return { outcome: "moved", rid: old.rid, clientId: old.clientId };
    }
    rows.log(row, now, connection, "enabled");
    if (row.clientId !== null && row.rid !== null) {
      openWindow.run(windowEnds, row.clientId);
      return { outcome: "regenerated", rid: row.rid, clientId: row.clientId };
    }
    const made = maker.make(model, now);
    setClient.run(made.id, row.id);
    openWindow.run(windowEnds, made.id);
    return { outcome: "created", rid: made.rid, clientId: made.id };
  };

  return {
    activate: (request) => commit.run(() => activate(request)),
    enable: (request) => commit.run(() => enable(request)),
    disable: (modelId, sn, connection, now) =>
      commit.run(() => {
        const row = rows.find(modelId, sn);
        if (row?.clientId == null) return undefined;
        cache.clear();
        closeWindow.run(row.clientId);
        rows.log(row, now, connection, "disabled");
        return row.clientId;
      }),
  };
}

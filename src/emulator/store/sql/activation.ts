import type { ActivateRequest, Activation, Enabled, EnableRequest, SerialStore } from "../store.ts";
import type { ClientCache } from "./client-cache.ts";
import { ClientMaker } from "./clients.ts";
import type { Engine } from "./engine.ts";
import { newCik } from "./secrets.ts";
import { type SerialRow, type SerialRows, statusOf } from "./serial-rows.ts";
import { Statement, type Work } from "./statement.ts";

/** How long a serial may be activated after it was enabled. */
const activationWindowS = 24 * 3600;

/** The life of a serial: added → enabled (window open) → activated → enabled again (CIK void) … → disabled. */
export function serialLifeCycle(
  engine: Engine,
  rows: SerialRows,
  cache: ClientCache,
): Pick<SerialStore, "activate" | "enable" | "disable"> {
  const maker = new ClientMaker();
  const activateClient = new Statement("UPDATE client SET cik = $1, window_ends = NULL WHERE id = $2");
  const openWindow = new Statement("UPDATE client SET cik = NULL, window_ends = $1 WHERE id = $2");
  const closeWindow = new Statement("UPDATE client SET cik = NULL, window_ends = NULL WHERE id = $1");
  const setClient = new Statement("UPDATE serial SET client_id = $1 WHERE id = $2");

  function* giveCik(row: SerialRow, clientId: number, request: ActivateRequest): Work<Activation> {
    const cik = newCik();
    yield* activateClient.run(cik, clientId);
    yield* rows.log(row, request.now, request.connection, "activated");
    return { outcome: "activated", cik, clientId };
  }

  function* activate(request: ActivateRequest): Work<Activation> {
    const { model, sn, open, now, connection } = request;
    const row = yield* rows.materialise(model.id, sn, open);
    if (!row) return { outcome: "unknown" };
    if (row.clientId === null && open) {
      const made = yield* maker.make(model, now);
      yield* setClient.run(made.id, row.id);
      return yield* giveCik(row, made.id, request);
    }
    const status = statusOf(row, now);
    if (row.clientId !== null && status === "notactivated" && row.windowEnds !== null) {
      return yield* giveCik(row, row.clientId, request);
    }
    const reason =
      status === "activated"
        ? "already activated"
        : status === "expired"
          ? "activation window closed"
          : "not enabled";
    yield* rows.log(row, now, connection, `refused: ${reason}`);
    return { outcome: "refused", reason };
  }

  function* enable({ model, sn, oldSn, now, connection }: EnableRequest): Work<Enabled> {
    const row = yield* rows.materialise(model.id, sn, false);
    if (!row) return { outcome: "unknown" };
    cache.clear();
    const windowEnds = now + activationWindowS;
    if (oldSn !== undefined && oldSn !== sn) {
      const old = yield* rows.hold(model.id, oldSn);
      if (old?.clientId == null || old.rid === null) return { outcome: "unknown-old" };
      if (row.clientId !== null) return { outcome: "taken" };
      yield* setClient.run(null, old.id);
      yield* setClient.run(old.clientId, row.id);
      yield* openWindow.run(windowEnds, old.clientId);
      yield* rows.log(old, now, connection, `moved to ${sn}`);
      yield* rows.log(row, now, connection, `enabled, moved from ${oldSn}`);
      return { outcome: "moved", rid: old.rid, clientId: old.clientId };
    }
    yield* rows.log(row, now, connection, "enabled");
    if (row.clientId !== null && row.rid !== null) {
      yield* openWindow.run(windowEnds, row.clientId);
      return { outcome: "regenerated", rid: row.rid, clientId: row.clientId };
    }
    const made = yield* maker.make(model, now);
    yield* setClient.run(made.id, row.id);
    yield* openWindow.run(windowEnds, made.id);
    return { outcome: "created", rid: made.rid, clientId: made.id };
  }

  function* disable(modelId: number, sn: string, connection: string, now: number): Work<number | undefined> {
    const row = yield* rows.hold(modelId, sn);
    if (row?.clientId == null) return undefined;
    cache.clear();
    yield* closeWindow.run(row.clientId);
    yield* rows.log(row, now, connection, "disabled");
    return row.clientId;
  }

  return {
    activate: (request) => engine.write(() => activate(request)),
    enable: (request) => engine.write(() => enable(request)),
    disable: (modelId, sn, connection, now) => engine.write(() => disable(modelId, sn, connection, now)),
  };
}

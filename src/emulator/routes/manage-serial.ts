import { HttpProblem } from "../errors.ts";
import type { Call } from "../http/call.ts";
import { parseCsv } from "../http/csv.ts";
import { parseJson } from "../http/json.ts";
import { changed, csv, json, type Reply, text } from "../http/reply.ts";
import type { Route } from "../http/router.ts";
import { maxBulkBytes } from "../limits.ts";
import type { Model } from "../store/types.ts";
import { checkedId, connectionOf, requireModel } from "./access.ts";
import { removeModel, showModel } from "./manage-model.ts";
import type { RouteParts } from "./parts.ts";
import { parseSerialBatch, rangesJson } from "./serial-forms.ts";

const path = "/provision/manage/model/*";
const procedure = "manage-serial";

/** Serials (spec: provision-management.md). */
export function manageSerialRoutes(parts: RouteParts): readonly Route[] {
  return [
    { method: "GET", path, procedure, handle: (call) => list(parts, call) },
    { method: "POST", path, procedure, maxBodyBytes: maxBulkBytes, handle: (call) => change(parts, call) },
    {
      method: "DELETE",
      path,
      procedure,
      maxBodyBytes: maxBulkBytes,
      handle: (call) => removeModelOrBatch(parts, call),
    },
    { method: "GET", path: `${path}/*`, procedure, handle: (call) => show(parts, call) },
    { method: "POST", path: `${path}/*`, procedure, handle: (call) => control(parts, call) },
    { method: "DELETE", path: `${path}/*`, procedure, handle: (call) => removeOne(parts, call) },
  ];
}

/** With a trailing slash or a query the model's serials, plain the model itself: both share one path. */
async function list(parts: RouteParts, call: Call): Promise<Reply> {
  const model = await requireModel(parts, call);
  if (!call.path.endsWith("/") && call.queryText === "") return showModel(model);
  if (call.query.get("show") === "ranges") {
    return json(200, rangesJson(await parts.store.serials.ranges(model.id)));
  }
  const serials = await parts.store.serials.list(model.id, call.page(), parts.clock.nowS());
  const withStatus = call.query.isTrue("status");
  return csv(
    serials.map(({ sn, status, rid, extra }) => (withStatus ? [sn, status, rid, extra] : [sn, rid, extra])),
  );
}

async function change(parts: RouteParts, call: Call): Promise<Reply> {
  const model = await requireModel(parts, call);
  const batch = parseSerialBatch(call);
  const removing = call.query.isTrue("delete") || isDeleteForm(call);
  const { serials } = parts.store;
  if (batch.kind === "ranges") {
    if (removing) await serials.removeRanges(model.id, batch.ranges);
    else if (!(await serials.addRanges(model.id, batch.ranges))) throw new HttpProblem(409, "a range exists");
    return changed;
  }
  if (removing)
    return remove(
      parts,
      model,
      batch.serials.map(({ sn }) => sn),
    );
  const taken = await serials.add(model.id, batch.serials);
  if (taken.length === 0) return changed;
  return { ...csv(taken.map((sn) => [sn])), status: 409 };
}

/** JSON carries `"delete":true` beside its ranges; a CSV body has the query for it. */
function isDeleteForm(call: Call): boolean {
  if (call.hasType("application/json")) {
    const value = parseJson(call.body.toString());
    return typeof value === "object" && value !== null && "delete" in value && value.delete === true;
  }
  return !call.hasType("text/csv") && call.form().isTrue("delete");
}

/** `DELETE …/<m>` removes the model; a body of CSV rows names serials instead: never both. */
async function removeModelOrBatch(parts: RouteParts, call: Call): Promise<Reply> {
  const model = await requireModel(parts, call);
  if (call.body.length === 0) return removeModel(parts, model);
  const sns = parseCsv(call.body.toString()).map(([sn = ""]) => checkedId(sn, "sn"));
  if (sns.length === 0) throw new HttpProblem(400, "no serial number");
  return remove(parts, model, sns);
}

async function remove(parts: RouteParts, model: Model, sns: readonly string[]): Promise<Reply> {
  const known = await Promise.all(sns.map((sn) => clientOf(parts, model, sn)));
  const count = await parts.store.serials.remove(model.id, sns);
  if (count === 0) throw new HttpProblem(404, "no such serial");
  for (const id of known) if (id !== undefined) parts.hub.clientChanged(id);
  return changed;
}

async function clientOf(parts: RouteParts, model: Model, sn: string): Promise<number | undefined> {
  const serial = await parts.store.serials.find(model.id, sn, parts.clock.nowS());
  return serial && serial.rid !== "" ? (await parts.store.clients.byRid(serial.rid))?.id : undefined;
}

async function removeOne(parts: RouteParts, call: Call): Promise<Reply> {
  return remove(parts, await requireModel(parts, call), [call.param(1)]);
}

async function show(parts: RouteParts, call: Call): Promise<Reply> {
  const model = await requireModel(parts, call);
  const sn = call.param(1);
  const serial = await parts.store.serials.find(model.id, sn, parts.clock.nowS());
  if (!serial) throw new HttpProblem(404, "no such serial");
  switch (call.query.get("show")) {
    case "log":
      return csv(
        (await parts.store.serials.log(model.id, sn)).map(({ ts, connection, entry }) => [
          ts,
          connection,
          entry,
        ]),
      );
    case "groups":
      return csv((await parts.store.groups.ofSerial(model.id, sn)).map((id) => [id]));
    default:
      return serial.rid === "" ? { status: 204 } : csv([[serial.status, serial.rid, serial.extra]]);
  }
}

async function control(parts: RouteParts, call: Call): Promise<Reply> {
  const model = await requireModel(parts, call);
  const form = call.form();
  if (form.isTrue("disable")) return disable(parts, call, model);
  if (form.isTrue("delete")) return remove(parts, model, [call.param(1)]);
  if (!form.isTrue("enable")) throw new HttpProblem(400, "expected enable=true, disable=true or delete=true");
  const enabled = await parts.store.serials.enable({
    model,
    sn: call.param(1),
    oldSn: form.get("oldsn"),
    connection: connectionOf(call),
    now: parts.clock.nowS(),
  });
  switch (enabled.outcome) {
    case "unknown":
      throw new HttpProblem(404, "no such serial");
    case "unknown-old":
      throw new HttpProblem(404, "oldsn has no client");
    case "taken":
      throw new HttpProblem(409, "this serial has a client already");
    default:
      parts.hub.clientChanged(enabled.clientId);
      return enabled.outcome === "created" || form.get("owner") !== undefined
        ? text(200, enabled.rid)
        : changed;
  }
}

async function disable(parts: RouteParts, call: Call, model: Model): Promise<Reply> {
  const { serials } = parts.store;
  const clientId = await serials.disable(model.id, call.param(1), connectionOf(call), parts.clock.nowS());
  if (clientId === undefined) throw new HttpProblem(404, "no such serial, or it has no client");
  parts.hub.clientChanged(clientId);
  return changed;
}

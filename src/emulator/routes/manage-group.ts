import { HttpProblem } from "../errors.ts";
import { type Call, wholeNumber } from "../http/call.ts";
import { parseCsv } from "../http/csv.ts";
import { changed, csv, type Reply } from "../http/reply.ts";
import type { Route } from "../http/router.ts";
import { maxBulkBytes } from "../limits.ts";
import type { Member, MemberType, Model } from "../store/types.ts";
import { checkedId, checkedName, requireModel } from "./access.ts";
import type { RouteParts } from "./parts.ts";

const path = "/provision/manage/group/*";
const procedure = "manage-group";

/** Groups and their members (spec: provision-management.md). */
export function manageGroupRoutes(parts: RouteParts): readonly Route[] {
  return [
    { method: "GET", path, procedure, handle: (call) => list(parts, call) },
    { method: "POST", path, procedure, handle: (call) => change(parts, call) },
    { method: "GET", path: `${path}/*`, procedure, handle: (call) => listMembers(parts, call) },
    {
      method: "POST",
      path: `${path}/*`,
      procedure,
      maxBodyBytes: maxBulkBytes,
      handle: (call) => changeMembers(parts, call),
    },
    {
      method: "DELETE",
      path: `${path}/*`,
      procedure,
      maxBodyBytes: maxBulkBytes,
      handle: (call) => removeGroupOrMembers(parts, call),
    },
  ];
}

async function list(parts: RouteParts, call: Call): Promise<Reply> {
  const model = await requireModel(parts, call);
  return csv((await parts.store.groups.list(model.id, call.page())).map(({ id }) => [id]));
}

async function change(parts: RouteParts, call: Call): Promise<Reply> {
  const model = await requireModel(parts, call);
  const form = call.form();
  const id = checkedName(form.required("id"), "id");
  if (form.isTrue("delete")) return removeGroup(parts, model, id);
  if (!(await parts.store.groups.add(model.id, id, form.get("meta") ?? ""))) {
    throw new HttpProblem(409, "the group exists");
  }
  return changed;
}

async function removeGroup(parts: RouteParts, model: Model, id: string): Promise<Reply> {
  if (!(await parts.store.groups.remove(model.id, id))) throw new HttpProblem(404, "no such group");
  return changed;
}

/** @throws HttpProblem 404 */
async function requireGroup(
  parts: RouteParts,
  call: Call,
): Promise<{ readonly model: Model; readonly group: string }> {
  const model = await requireModel(parts, call);
  const group = call.param(1);
  if (!(await parts.store.groups.exists(model.id, group))) throw new HttpProblem(404, "no such group");
  return { model, group };
}

async function listMembers(parts: RouteParts, call: Call): Promise<Reply> {
  const { model, group } = await requireGroup(parts, call);
  const type = call.query.get("type");
  const id = call.query.get("id");
  const members = await parts.store.groups.members(model.id, group, call.page(), {
    ...(type !== undefined && { type: memberType(type) }),
    ...(id !== undefined && { id }),
  });
  return csv(members.map(({ type, id, expire, meta }) => [type, id, expire ?? "", meta]));
}

async function changeMembers(parts: RouteParts, call: Call): Promise<Reply> {
  const { model, group } = await requireGroup(parts, call);
  const members = parseMembers(call);
  const isCsv = call.hasType("text/csv");
  const removing = call.query.isTrue("delete") || (!isCsv && call.form().isTrue("delete"));
  if (removing) return removeMembers(parts, model, group, members);
  if (!(await parts.store.groups.addMembers(model.id, group, members))) {
    throw new HttpProblem(409, "a member is in the group already");
  }
  return changed;
}

/** `DELETE …/<g>` removes the group; a body of CSV rows names members instead: never both. */
async function removeGroupOrMembers(parts: RouteParts, call: Call): Promise<Reply> {
  const { model, group } = await requireGroup(parts, call);
  if (call.body.length === 0) return removeGroup(parts, model, group);
  return removeMembers(parts, model, group, parseMemberRows(call.body.toString()));
}

async function removeMembers(
  parts: RouteParts,
  model: Model,
  group: string,
  members: readonly Member[],
): Promise<Reply> {
  const count = await parts.store.groups.removeMembers(model.id, group, members);
  if (count === 0) throw new HttpProblem(404, "no such member");
  return changed;
}

function parseMembers(call: Call): Member[] {
  if (call.hasType("text/csv")) return parseMemberRows(call.body.toString());
  const form = call.form();
  const type = memberType(form.required("type"));
  const expire = expiry(form.get("expire") ?? "");
  const meta = form.get("meta") ?? "";
  const ids = form.all("id");
  if (ids.length === 0) throw new HttpProblem(400, "missing id");
  return ids.map((id) => ({ type, id: checkedId(id, "id"), expire, meta }));
}

function parseMemberRows(body: string): Member[] {
  const members = parseCsv(body).map(([type = "", id = "", expire = "", meta = ""]) => ({
    type: memberType(type),
    id: checkedId(id, "id"),
    expire: expiry(expire),
    meta,
  }));
  if (members.length === 0) throw new HttpProblem(400, "no member");
  return members;
}

function memberType(text: string): MemberType {
  if (text === "sn" || text === "content" || text === "group") return text;
  throw new HttpProblem(400, "type must be sn, content or group");
}

function expiry(text: string): number | undefined {
  if (text === "") return undefined;
  const seconds = wholeNumber(text);
  if (seconds === undefined) throw new HttpProblem(400, "expire must be unix seconds or blank");
  return seconds;
}

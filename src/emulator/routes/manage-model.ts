import { HttpProblem } from "../errors.ts";
import type { Call } from "../http/call.ts";
import { changed, csv, type Reply } from "../http/reply.ts";
import type { Route } from "../http/router.ts";
import type { Model } from "../store/types.ts";
import { checkedName, requireModel, requireOwner } from "./access.ts";
import type { RouteParts } from "./parts.ts";

const path = "/provision/manage/model";
const procedure = "manage-model";

/** Models (spec: provision-management.md). */
export function manageModelRoutes(parts: RouteParts): readonly Route[] {
  return [
    { method: "GET", path, procedure, handle: (call) => list(parts, call) },
    { method: "POST", path, procedure, handle: (call) => change(parts, call) },
    { method: "PUT", path: `${path}/*`, procedure, handle: (call) => update(parts, call) },
  ];
}

async function list(parts: RouteParts, call: Call): Promise<Reply> {
  const owner = await requireOwner(parts, call);
  return csv((await parts.store.models.list(owner.id, call.page())).map(({ name }) => [name]));
}

/** `GET …/<m>` → `<model>,<rid>,<options>`, the options separated by spaces. */
export function showModel(model: Model): Reply {
  return csv([[model.name, model.rid, model.options]]);
}

async function change(parts: RouteParts, call: Call): Promise<Reply> {
  const owner = await requireOwner(parts, call);
  const form = call.form();
  const name = checkedName(form.required("model"), "model");
  if (form.isTrue("delete")) {
    const model = await parts.store.models.find(name);
    if (!model || model.ownerId !== owner.id) throw new HttpProblem(403, "no such vendor/model");
    return removeModel(parts, model);
  }
  const added = await parts.store.models.add({
    ownerId: owner.id,
    name,
    rid: form.get("rid") ?? form.get("code") ?? "",
    options: form.all("options").join(" "),
  });
  if (!added) throw new HttpProblem(409, "the model exists");
  return changed;
}

async function update(parts: RouteParts, call: Call): Promise<Reply> {
  const model = await requireModel(parts, call);
  const form = call.form();
  const options = form.all("options");
  await parts.store.models.update(model.id, {
    rid: form.get("rid") ?? form.get("code") ?? model.rid,
    options: options.length > 0 ? options.join(" ") : model.options,
  });
  return changed;
}

/** With its serials and content. */
export async function removeModel(parts: RouteParts, model: Model): Promise<Reply> {
  const blobs = await parts.store.models.remove(model.id);
  await Promise.all(blobs.map((blob) => parts.blobs.remove(blob)));
  return changed;
}

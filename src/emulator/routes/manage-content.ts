import { HttpProblem } from "../errors.ts";
import { ClientGone } from "../http/body.ts";
import type { Call } from "../http/call.ts";
import { changed, csv, type Reply } from "../http/reply.ts";
import type { Route } from "../http/router.ts";
import type { Model } from "../store/types.ts";
import { checkedId, requireModel } from "./access.ts";
import { infoFields, sendContent } from "./content-answers.ts";
import type { RouteParts } from "./parts.ts";

const path = "/provision/manage/content/*";
const procedure = "manage-content";

/** Content (spec: provision-management.md). */
export function manageContentRoutes(parts: RouteParts): readonly Route[] {
  return [
    { method: "GET", path, procedure, handle: (call) => list(parts, call) },
    { method: "POST", path, procedure, handle: (call) => change(parts, call) },
    { method: "GET", path: `${path}/*`, procedure, handle: (call) => show(parts, call) },
    {
      method: "POST",
      path: `${path}/*`,
      procedure: "upload",
      streamsBody: true,
      handle: (call) => upload(parts, call),
    },
    {
      method: "DELETE",
      path: `${path}/*`,
      procedure,
      handle: async (call) => remove(parts, await requireModel(parts, call), call.param(1)),
    },
  ];
}

async function list(parts: RouteParts, call: Call): Promise<Reply> {
  const model = await requireModel(parts, call);
  const sn = call.query.get("sn");
  const page = call.page();
  if (sn === undefined) return csv((await parts.store.content.list(model.id, page)).map(({ id }) => [id]));
  const contents = await parts.store.content.listFor(model.id, sn, parts.clock.nowS());
  return csv(contents.slice(page.offset, page.offset + page.limit).map(({ id }) => [id]));
}

async function change(parts: RouteParts, call: Call): Promise<Reply> {
  const model = await requireModel(parts, call);
  const form = call.form();
  const id = checkedId(form.required("id"), "id");
  if (form.isTrue("delete")) return remove(parts, model, id);
  const added = await parts.store.content.add(model.id, {
    id,
    meta: form.get("meta") ?? "",
    protected: form.isTrue("protected"),
    now: parts.clock.nowS(),
  });
  if (!added) throw new HttpProblem(409, "the content id exists");
  return changed;
}

async function remove(parts: RouteParts, model: Model, id: string): Promise<Reply> {
  const { found, blob } = await parts.store.content.remove(model.id, id);
  if (!found) throw new HttpProblem(404, "no such content");
  if (blob !== undefined) await parts.blobs.remove(blob);
  return changed;
}

async function show(parts: RouteParts, call: Call): Promise<Reply> {
  const model = await requireModel(parts, call);
  const content = await parts.store.content.find(model.id, call.param(1));
  if (!content) throw new HttpProblem(404, "no such content");
  if (call.query.isTrue("download")) return sendContent(parts, call, content);
  return csv([[...infoFields(content), content.protected]]);
}

async function upload(parts: RouteParts, call: Call): Promise<Reply> {
  const model = await requireModel(parts, call);
  await storeUpload(parts, call, { model, id: call.param(1) });
  return changed;
}

export interface Upload {
  readonly model: Model;
  readonly id: string;
  /** Make the content if it is not there. */
  readonly create?: boolean;
  /** What becomes the content's meta, known once the body was read; by default it stays as it is. */
  readonly meta?: () => string;
}

/**
 * Stores a request's body as content. The blob goes to disk as it arrives; what is served changes only once all of it is
 * there.
 *
 * @throws HttpProblem 404 when the content is not there, and `create` does not say to make it
 */
export async function storeUpload(
  parts: RouteParts,
  call: Call,
  { model, id, create = false, meta }: Upload,
): Promise<void> {
  const { content } = parts.store;
  if (!create && !(await content.find(model.id, id))) throw new HttpProblem(404, "no such content");
  const blob = await parts.blobs.put(call.request).catch((error: unknown) => {
    throw isHangUp(error) ? new ClientGone() : error;
  });
  const now = parts.clock.nowS();
  // False where it is there already.
  if (create) await content.add(model.id, { id, meta: "", protected: false, now });
  const { found, replaced } = await content.setBlob(model.id, id, {
    ...blob,
    contentType: call.header("content-type") ?? "application/octet-stream",
    now,
    ...(meta && { meta: meta() }),
  });
  if (replaced !== undefined) await parts.blobs.remove(replaced);
  if (!found) {
    await parts.blobs.remove(blob.name);
    throw new HttpProblem(404, "the content was removed meanwhile");
  }
}

function isHangUp(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ECONNRESET" || code === "ERR_STREAM_PREMATURE_CLOSE";
}

import { createHash } from "node:crypto";
import { PackageNameError, parsePackageName } from "../../core/package-name.ts";
import { HttpProblem } from "../errors.ts";
import type { Call } from "../http/call.ts";
import { json, noContent, type Reply } from "../http/reply.ts";
import type { Route } from "../http/router.ts";
import { checkedId } from "../routes/access.ts";
import { storeUpload } from "../routes/manage-content.ts";
import type { RouteParts } from "../routes/parts.ts";
import type { ContentInfo, Model, Owner } from "../store/types.ts";
import { operatorRoute } from "./api-route.ts";

const digestPattern = /\bsha256=([0-9a-f]{64})\b/i;

const everything = { offset: 0, limit: 1_000_000 };

/** Products and their packages (docs/console.md, "Content"). */
export function contentRoutes(parts: RouteParts): readonly Route[] {
  return [
    operatorRoute(parts, "GET", "products", async (owner) => {
      const models = await parts.store.models.list(owner.id, everything);
      return json(200, { products: models.map(({ name }) => name) });
    }),
    operatorRoute(parts, "GET", "content/*", async (owner, call) => {
      const model = await requireProduct(parts, owner, call);
      const content = await parts.store.content.list(model.id, everything);
      return json(200, { content: content.map(shown) });
    }),
    operatorRoute(parts, "PUT", "content/*/*", async (owner, call) => upload(parts, owner, call), {
      streamsBody: true,
    }),
    operatorRoute(parts, "DELETE", "content/*/*", async (owner, call) => {
      const model = await requireProduct(parts, owner, call);
      const { found, blob } = await parts.store.content.remove(model.id, call.param(1));
      if (!found) throw new HttpProblem(404, "no such content");
      if (blob !== undefined) await parts.blobs.remove(blob);
      parts.changes.announce({ kind: "content", product: model.name });
      return noContent;
    }),
  ];
}

/** @throws HttpProblem 404 */
async function requireProduct(parts: RouteParts, owner: Owner, call: Call): Promise<Model> {
  const model = await parts.store.models.find(call.param(0));
  if (model?.ownerId !== owner.id) throw new HttpProblem(404, "no such product");
  return model;
}

/** Its SHA-256 goes into the content's meta, where gateways look for it and refuse anything else. */
async function upload(parts: RouteParts, owner: Owner, call: Call): Promise<Reply> {
  const model = await requireProduct(parts, owner, call);
  const id = checkedId(call.param(1), "id");
  const meta = (await parts.store.content.find(model.id, id))?.meta ?? "";
  const hash = createHash("sha256");
  call.request.on("data", (chunk: Buffer) => hash.update(chunk));
  call.request.pause();
  await storeUpload(parts, call, {
    model,
    id,
    create: true,
    meta: () => [meta.replace(digestPattern, "").trim(), `sha256=${hash.digest("hex")}`].join(" ").trim(),
  });
  parts.changes.announce({ kind: "content", product: model.name });
  const content = await parts.store.content.find(model.id, id);
  if (!content) throw new HttpProblem(404, "the content was removed meanwhile");
  return json(200, { content: shown(content) });
}

function shown({ id, meta, protected: isProtected, sizeBytes, updatedAt, blob }: ContentInfo): unknown {
  return {
    id,
    ...nameParts(id),
    size: sizeBytes,
    updated: updatedAt,
    meta,
    protected: isProtected,
    uploaded: blob !== undefined,
    sha256: digestPattern.exec(meta)?.[1],
  };
}

/** Content that is no package (a signature, a vendor's own file) has neither. */
function nameParts(id: string): { readonly app?: string; readonly version?: string } {
  try {
    const { app, version } = parsePackageName(id);
    return { app, version };
  } catch (error) {
    if (error instanceof PackageNameError) return {};
    throw error;
  }
}

import { HttpProblem } from "../errors.ts";
import type { Call } from "../http/call.ts";
import { csv, type Reply } from "../http/reply.ts";
import type { Route } from "../http/router.ts";
import type { Client } from "../store/types.ts";
import { requireDevice } from "./access.ts";
import { infoFields, sendContent } from "./content-answers.ts";
import type { RouteParts } from "./parts.ts";

/** List content, content info, download (spec: device-api.md, "Provisioning procedures"). */
export function downloadRoutes(parts: RouteParts): readonly Route[] {
  return [{ method: "GET", path: "/provision/download", procedure, handle: (call) => download(parts, call) }];
}

function procedure(call: Call): string {
  if (call.query.get("id") === undefined) return "list-content";
  return call.query.isTrue("info") ? "content-info" : "download";
}

async function download(parts: RouteParts, call: Call): Promise<Reply> {
  const client = await requireDevice(parts, call);
  await checkProduct(parts, call, client);
  const { store, clock } = parts;
  const id = call.query.get("id");
  if (id === undefined) {
    return csv((await store.content.listFor(client.modelId, client.sn, clock.nowS())).map(({ id }) => [id]));
  }
  const content = await store.content.find(client.modelId, id);
  if (!content) throw new HttpProblem(404, "no such content");
  const mayHave =
    !content.protected || (await store.content.isAuthorised(client.modelId, client.sn, id, clock.nowS()));
  if (!mayHave) throw new HttpProblem(403, "protected content that no group gives to this serial");
  if (call.query.isTrue("info")) return csv([infoFields(content)]);
  return sendContent(parts, call, content);
}

/** @throws HttpProblem 403 when the vendor/model pair of the request is not this device's */
async function checkProduct(parts: RouteParts, call: Call, client: Client): Promise<void> {
  const name = call.query.get("model") ?? client.model;
  const vendor = call.query.get("vendor") ?? client.model;
  const model = await parts.store.models.find(client.model);
  if (!model || name !== client.model || !(await parts.store.models.hasVendor(model, vendor))) {
    throw new HttpProblem(403, "this vendor/model is not this device's");
  }
}

import { HttpProblem } from "../errors.ts";
import type { Call } from "../http/call.ts";
import { type Reply, text } from "../http/reply.ts";
import type { Route } from "../http/router.ts";
import type { Model } from "../store/types.ts";
import { checkedId, checkedName, connectionOf } from "./access.ts";
import type { RouteParts } from "./parts.ts";

/** Activate and timestamp: what a device may ask without a CIK. */
export function activationRoutes(parts: RouteParts): readonly Route[] {
  return [
    {
      method: "POST",
      path: "/provision/activate",
      procedure: "activate",
      device: (call) => serialOf(call),
      handle: (call) => activate(parts, call),
    },
    {
      method: "GET",
      path: "/timestamp",
      procedure: "timestamp",
      handle: async () => text(200, String(parts.clock.nowS())),
    },
  ];
}

function serialOf(call: Call): string | undefined {
  const form = call.form();
  return form.get("sn") ?? form.get("id");
}

async function activate(parts: RouteParts, call: Call): Promise<Reply> {
  const form = call.form();
  const sn = checkedId(serialOf(call) ?? "", "sn");
  const vendor = form.get("vendor") ?? call.hostProduct ?? "";
  const name = form.get("model") ?? call.hostProduct ?? "";
  if (vendor === "" || name === "") throw new HttpProblem(400, "no vendor and model, and no product's host");
  call.notes.device = sn;
  call.notes.product = name;
  const model = await findModel(parts, call, vendor, name);
  if (!model) throw new HttpProblem(404, "no such vendor, model or serial");
  const activation = await parts.store.serials.activate({
    model,
    sn,
    open: parts.openActivation,
    connection: connectionOf(call),
    now: parts.clock.nowS(),
  });
  switch (activation.outcome) {
    case "activated":
      return text(200, activation.cik);
    case "unknown":
      throw new HttpProblem(404, "no such vendor, model or serial");
    case "refused":
      throw new HttpProblem(409, activation.reason);
  }
}

async function findModel(
  parts: RouteParts,
  call: Call,
  vendor: string,
  name: string,
): Promise<Model | undefined> {
  if (call.hostProduct !== undefined && call.hostProduct !== name) return undefined;
  const model = await parts.store.models.find(name);
  if (model) return (await parts.store.models.hasVendor(model, vendor)) ? model : undefined;
  if (!parts.openActivation || vendor !== name) return undefined;
  checkedName(name, "model");
  const { owner } = await parts.store.owners.first(undefined);
  await parts.store.models.add({ ownerId: owner.id, name, rid: "", options: "" });
  return parts.store.models.find(name);
}

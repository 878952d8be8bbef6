import type { Call } from "../http/call.ts";
import type { Route } from "../http/router.ts";
import { activationRoutes } from "./activation.ts";
import { adminRoutes } from "./admin.ts";
import { dataRoutes } from "./data.ts";
import { downloadRoutes } from "./download.ts";
import { manageContentRoutes } from "./manage-content.ts";
import { manageGroupRoutes } from "./manage-group.ts";
import { manageModelRoutes } from "./manage-model.ts";
import { manageSerialRoutes } from "./manage-serial.ts";
import { ownerRoutes } from "./owner.ts";
import type { RouteParts } from "./parts.ts";
import { recordRoutes } from "./record.ts";
import { rpcRoutes } from "./rpc.ts";

/** What may change who belongs to the fleet. */
const rosterProcedures = new Set(["manage-model", "manage-serial", "manage-group", "activate"]);
const contentProcedures = new Set(["manage-content", "upload"]);

export function allRoutes(parts: RouteParts): readonly Route[] {
  return [
    ...dataRoutes(parts),
    ...recordRoutes(parts),
    ...rpcRoutes(parts),
    ...activationRoutes(parts),
    ...downloadRoutes(parts),
    ...manageModelRoutes(parts),
    ...manageSerialRoutes(parts),
    ...manageContentRoutes(parts),
    ...manageGroupRoutes(parts),
    ...ownerRoutes(parts),
    ...adminRoutes(parts),
  ].map((route) => announcing(parts, route));
}

/** The same route; after a change by it, whoever shows the fleet is told. */
function announcing({ changes }: RouteParts, route: Route): Route {
  const { method, procedure, handle } = route;
  if (method === "GET" || typeof procedure !== "string") return route;
  const announce = (call: Call) => {
    if (rosterProcedures.has(procedure)) changes.announce({ kind: "roster" });
    else changes.announce({ kind: "content", product: call.param(0) });
  };
  if (!rosterProcedures.has(procedure) && !contentProcedures.has(procedure)) return route;
  return {
    ...route,
    handle: async (call) => {
      const reply = await handle(call);
      announce(call);
      return reply;
    },
  };
}

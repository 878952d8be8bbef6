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
  ];
}

import type { Route } from "../http/router.ts";
import type { RouteParts } from "../routes/parts.ts";
import { operatorRoute, takesGzip } from "./api-route.ts";
import { assetRoutes } from "./assets.ts";
import { commandRoutes } from "./command-routes.ts";
import { contentRoutes } from "./content-routes.ts";
import { gatewayRoutes } from "./gateway-routes.ts";
import type { LiveEvents } from "./live-events.ts";
import { sessionRoutes } from "./session-routes.ts";
import { tagRoutes } from "./tag-routes.ts";

/** The operator console (docs/console.md). */
export function consoleRoutes(parts: RouteParts, events: LiveEvents): readonly Route[] {
  return [
    ...sessionRoutes(parts),
    ...gatewayRoutes(parts),
    ...commandRoutes(parts),
    ...contentRoutes(parts),
    ...tagRoutes(parts),
    operatorRoute(parts, "GET", "events", async (owner, call) => {
      const isCompressed = takesGzip(call);
      const { body } = await events.open(owner.id, isCompressed);
      return {
        status: 200,
        headers: {
          "Content-Type": "text/event-stream; charset=utf-8",
          // For proxies that would collect it first.
          "X-Accel-Buffering": "no",
          ...(isCompressed && { "Content-Encoding": "gzip" }),
        },
        body: { stream: body, sizeBytes: undefined },
      };
    }),
    ...assetRoutes(),
  ];
}

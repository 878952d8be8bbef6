import { parseDefaultRoutes } from "../device-info/routes.ts";
import { readKernelFile } from "./counters.ts";

/** The interface of the default route that the kernel prefers; undefined where there is none. */
export function defaultInterface(read = readKernelFile): string | undefined {
  const routes = parseDefaultRoutes(read("/proc/net/route") ?? "", read("/proc/net/ipv6_route") ?? "", true);
  return routes[0]?.interface;
}

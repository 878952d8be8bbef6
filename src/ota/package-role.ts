/** Packages that are not apps: parts of the engine, and parts that only the original engine had. */
export type PackageRole = "app" | "engine" | "part-of-the-original";

const engineNames = new Set(["gwe", "gateway-engine", "gatewayengine", "gatewayengine-update"]);
const originalParts = new Set([
  "gmq",
  "device-client",
  "device_client",
  "supervisor",
  "meld3",
  "elementtree",
]);

/** What a package with this app name is (spec: gateway-engine.md, "Check-in loop and OTAU", 7). */
export function packageRole(app: string): PackageRole {
  const name = app.toLowerCase();
  if (engineNames.has(name)) return "engine";
  return originalParts.has(name) ? "part-of-the-original" : "app";
}

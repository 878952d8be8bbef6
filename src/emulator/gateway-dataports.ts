/** The aliases that every gateway has from the start (spec: gateway-engine.md, "Dataports"). */
export const gatewayAliases: readonly string[] = [
  "engine_fetch",
  "fetch_status",
  "update_interval",
  "engine_report",
  "device_info",
  "usage_report",
];

/** The dataports of a gateway's device that the engine works with (spec: gateway-engine.md, "Dataports"); all strings. */
export const engineAliases = [
  "engine_fetch",
  "fetch_status",
  "update_interval",
  "engine_report",
  "device_info",
  "usage_report",
] as const;

/** The four dataports that the gateway writes (spec: gateway-engine.md, "Dataports"). */
export type ReportAlias = "engine_report" | "device_info" | "usage_report" | "fetch_status";

/**
 * Where reports wait, durably, for the next check-in. Synchronous, and on the same database as the journal: called
 * inside a caller's transaction it commits or rolls back with it.
 */
export interface ReportOutbox {
  /**
   * Of `engine_report`, `device_info` and `usage_report` only the newest is kept; every `fetch_status` is kept, in
   * order, once per `key`.
   */
  put(alias: ReportAlias, value: string, key: string): void;
}

/** A dataport value holds at most this many bytes of UTF-8. */
export const maxDataportBytes = 65_536;

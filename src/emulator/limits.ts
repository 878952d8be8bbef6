/** A dataport value holds at most this many bytes (spec: gateway-engine.md, `fetch_status`). */
export const maxValueBytes = 65_536;

/** Largest form or JSON body where a route sets no other limit. */
export const maxBodyBytes = 8 * 1024 * 1024;

/** Largest body of a record: history comes in batches. */
export const maxRecordBytes = 16 * 1024 * 1024;

/** Largest list of serials or members in one request. */
export const maxBulkBytes = 64 * 1024 * 1024;

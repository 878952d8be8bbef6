export { QueueFullError, QueueUnavailableError } from "./errors.ts";
export { ApiServer, type ApiServerOptions, ListenError } from "./http/api-server.ts";
export { formatMetrics, type MetricsInput } from "./http/metrics.ts";
export type { Histogram } from "./store/commit-times.ts";
export { queueAfterSalvage, queueMigrations } from "./store/migrations.ts";
export { QueueStore, type QueueStoreOptions } from "./store/queue-store.ts";
export type { QueueFile } from "./store/store-file.ts";
export type * from "./types.ts";

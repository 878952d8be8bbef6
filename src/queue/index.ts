export { QueueFullError, QueueUnavailableError } from "./errors.ts";
export {
  ActivationDesk,
  type DeviceLink,
  type DeviceLinks,
  Forwarder,
  type ForwarderSettings,
  type LinkStorage,
  type UploaderStatus,
} from "./forwarder/index.ts";
export { ApiServer, type ApiServerOptions } from "./http/api-server.ts";
export { formatMetrics } from "./http/metrics.ts";
export { queueAfterSalvage, queueMigrations } from "./store/migrations.ts";
export { QueueStore, type QueueStoreOptions } from "./store/queue-store.ts";
export type { QueueFile, SpaceReserve } from "./store/store-file.ts";
export type * from "./types.ts";

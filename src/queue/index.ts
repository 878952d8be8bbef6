export {
  ActivationDesk,
  type DeviceLink,
  type DeviceLinks,
  Forwarder,
  type ForwarderSettings,
  type LinkStorage,
  type UploaderStatus,
} from "./forwarder/index.ts";
export type {
  Caller,
  DeadLetter,
  DeadLetterStore,
  IdentityStore,
  QueueIdentity,
  QueueStatus,
  Vms,
} from "./types.ts";
export { queueMigrations } from "./store/migrations.ts";
export { QueueStore, type QueueStoreOptions } from "./store/queue-store.ts";

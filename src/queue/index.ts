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

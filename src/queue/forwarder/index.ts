export { ActivationDesk } from "./activation-desk.ts";
export { Forwarder } from "./forwarder.ts";
export type { DeviceLink, DeviceLinks, LinkActivation, LinkStorage } from "./links.ts";
export type { ForwarderSettings } from "./settings.ts";
export type { UploaderStatus } from "./uploader.ts";

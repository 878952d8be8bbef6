export { Pm2Adapter, type Pm2AdapterDependencies } from "./adapter.ts";
export { findPm2Daemon, Pm2DaemonProcess, type Pm2DaemonSettings } from "./daemon-process.ts";
export type { Pm2Entry, Pm2Port, Pm2StartRequest } from "./port.ts";
export { removeAll } from "./remove-all.ts";

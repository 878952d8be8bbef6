export { Pm2Adapter, type Pm2AdapterDependencies } from "./adapter.ts";
export type { Pm2Entry, Pm2Port, Pm2StartRequest } from "./port.ts";

export type { GweSettings } from "./gwe-section.ts";
export { type ConfSource, parseSupervisorConf } from "./parse.ts";
export type { ProcessSettings, StreamLog, SupervisorConf } from "./program.ts";
export type { LogTarget } from "./values.ts";

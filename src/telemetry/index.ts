export { collectDeviceFacts, systemCalls } from "./collectors/device-facts.ts";
export { machineFiles } from "./collectors/machine-files.ts";
export { type AskProgram, collectTimeState } from "./collectors/time-state.ts";
export { deviceInfo, lastingFacts } from "./device-info/device-info.ts";
export type { MachineFacts, TimeState } from "./device-info/facts.ts";
export { engineReport } from "./engine-report.ts";
export { parseMachineFacts } from "./machine-facts/parse.ts";

export { collectDeviceFacts } from "./collectors/device-facts.ts";
export { deviceInfo, lastingFacts, type MachineFacts } from "./device-info/device-info.ts";
export { engineReport } from "./engine-report.ts";
export { parseMachineFacts } from "./machine-facts/parse.ts";

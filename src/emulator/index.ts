export type { Emulator, EmulatorOptions } from "./emulator.ts";
export { startEmulator } from "./emulator.ts";
export { WaitTimeoutError } from "./errors.ts";
export type { Fault, FaultMatch } from "./faults/fault.ts";
export type { ActiveFault, FaultBox } from "./faults/fault-box.ts";
export type { OpenEntry, RequestEntry, RequestFilter, RequestLog } from "./request-log/request-log.ts";
export { waitFor } from "./request-log/wait.ts";

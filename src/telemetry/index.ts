export {
  type Budget,
  type BudgetLevel,
  type BudgetStanding,
  holdOf,
  isOfBudget,
  levelOf,
  spend,
  strictest,
} from "./budget/budget.ts";
export { type BudgetState, parseBudgetState } from "./budget/budget-state.ts";
export { readCounters, readKernelFile } from "./collectors/counters.ts";
export { defaultInterface } from "./collectors/default-interface.ts";
export { collectDeviceFacts, systemCalls } from "./collectors/device-facts.ts";
export { machineFiles } from "./collectors/machine-files.ts";
export { type AskProgram, collectTimeState } from "./collectors/time-state.ts";
export { deviceInfo, lastingFacts } from "./device-info/device-info.ts";
export type { MachineFacts, ReportedTime, TimeState } from "./device-info/facts.ts";
export {
  accumulateWrites,
  type DiskWrites,
  parseDiskWrites,
  parseWrittenBytes,
  writtenInDay,
} from "./disk-writes.ts";
export { type EngineHealth, engineReport, type QueueHealth } from "./engine-report.ts";
export { parseMachineFacts } from "./machine-facts/parse.ts";
export { formatEngineMetrics } from "./metrics.ts";
export {
  accumulateCounters,
  accumulateTraffic,
  bytesBetween,
  type KernelCounters,
  type UsageMoment,
} from "./usage/accumulate.ts";
export { usageReport } from "./usage/usage-report.ts";
export { parseUsageState, type UsageState } from "./usage/usage-state.ts";

import type { ProcessFault } from "../../core/process-api.ts";

/** supervisorctl's own statuses, which it took from the LSB's for init scripts. */
export const exitStatus = {
  ok: 0,
  generic: 1,
  invalidArguments: 2,
  insufficientPrivileges: 4,
  notRunning: 7,
} as const;

/** Those of `status`. */
export const statusExit = { notRunning: 3, unknown: 4 } as const;

const deadProgram: ReadonlySet<ProcessFault> = new Set([
  "SPAWN_ERROR",
  "ABNORMAL_TERMINATION",
  "NOT_RUNNING",
]);

/** The status that a result leaves behind; undefined: the one there was. */
export function exitStatusOfFault(fault: ProcessFault | null, ignored?: ProcessFault): number | undefined {
  if (fault === null || fault === ignored) return undefined;
  return deadProgram.has(fault) ? exitStatus.notRunning : exitStatus.generic;
}

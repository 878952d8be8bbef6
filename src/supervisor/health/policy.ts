/** What is remembered of a process' health. Times are centiseconds after boot, as launchers note them. */
export interface HealthMemory {
  /** Failed probes in a row. */
  readonly failures: number;
  /** What the last failed one said. */
  readonly detail: string | undefined;
  /** Restarts for its health's sake since it was last well for long. */
  readonly restarts: number;
  readonly restartedCs: number | undefined;
}

/** One probe's verdict; the text says what was wrong. */
export type ProbeResult = { readonly ok: true } | { readonly ok: false; readonly detail: string };

export type HealthAction =
  | { readonly kind: "none" }
  /** It has come to `health_failures` again. */
  | { readonly kind: "restart" }
  /** It is due for a restart, but was restarted too short a while ago. */
  | { readonly kind: "hold"; readonly leftCs: number }
  /** It is well after having failed. */
  | { readonly kind: "recovered" };

export const wellSoFar: HealthMemory = {
  failures: 0,
  detail: undefined,
  restarts: 0,
  restartedCs: undefined,
};

const firstHoldCs = 60_00;
const longestHoldCs = 3_600_00;
/** Well for so long after a restart, it is as good as one that was never restarted. */
const forgetAfterCs = 600_00;

/** How long after a restart the next one may come: a minute, doubled each time, an hour at most. */
export function holdCs(restarts: number): number {
  return restarts === 0 ? 0 : Math.min(longestHoldCs, firstHoldCs * 2 ** (restarts - 1));
}

/** From the last of too many failed probes on, until one is answered well: a restart alone cures nothing. */
export function isFailing({ failures, detail }: HealthMemory, maxFailures: number): boolean {
  return detail !== undefined && (failures === 0 || failures >= maxFailures);
}

/**
 * What a probe's verdict leads to.
 *
 * @param maxFailures `health_failures`
 * @param nowCs centiseconds after boot
 */
export function afterProbe(
  memory: HealthMemory,
  result: ProbeResult,
  maxFailures: number,
  nowCs: number,
): { readonly memory: HealthMemory; readonly action: HealthAction } {
  const sinceRestartCs =
    memory.restartedCs === undefined ? Number.POSITIVE_INFINITY : nowCs - memory.restartedCs;
  if (result.ok) {
    const isLongWell = sinceRestartCs >= Math.max(forgetAfterCs, holdCs(memory.restarts));
    const forgotten = isLongWell ? wellSoFar : { ...memory, failures: 0, detail: undefined };
    return { memory: forgotten, action: { kind: isFailing(memory, maxFailures) ? "recovered" : "none" } };
  }
  const failures = memory.failures + 1;
  const failed: HealthMemory = { ...memory, failures, detail: result.detail };
  if (failures < maxFailures) return { memory: failed, action: { kind: "none" } };
  const leftCs = holdCs(memory.restarts) - sinceRestartCs;
  if (leftCs > 0) return { memory: failed, action: { kind: "hold", leftCs } };
  return {
    memory: { failures: 0, detail: result.detail, restarts: memory.restarts + 1, restartedCs: nowCs },
    action: { kind: "restart" },
  };
}

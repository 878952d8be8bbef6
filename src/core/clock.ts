/** The only source of time. Injected, so that tests own it. */
export interface Clock {
  /** Wall clock, unix milliseconds. May be wrong and may step: never measure an interval with it. */
  now(): number;
  /** Monotonic milliseconds since an arbitrary start; intervals are measured with it. */
  monotonic(): number;
  /**
   * Resolves after `ms` milliseconds; rejects with the signal's reason when it aborts first.
   * A pending sleep does not keep the process alive by itself.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Uniform in [0, 1). Injected for the same reason. */
export type Random = () => number;

/** Node's timers end at 2^31 - 1 milliseconds: one set for longer fires at once. */
export const longestTimerS = 2_147_483;

import type { Random } from "./clock.ts";

/** Exponential backoff with jitter. All times in milliseconds. */
export interface RetrySchedule {
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** Growth per attempt, e.g. 2. */
  readonly factor: number;
  /** Share of the delay that is random, 0 to 1: 0.5 draws from [0.5 d, d]. Keeps a fleet from retrying in step. */
  readonly jitter: number;
}

/** The delay before attempt `attempt` (1 = first retry). Never above `maxDelayMs`, never below 0. */
export function retryDelayMs(schedule: RetrySchedule, attempt: number, random: Random): number {
  const exponent = Math.max(0, attempt - 1);
  const full = Math.min(schedule.maxDelayMs, schedule.firstDelayMs * schedule.factor ** exponent);
  return full * (1 - schedule.jitter * random());
}

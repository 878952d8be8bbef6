import type { AppStatus } from "../core/app-status.ts";
import type { Random } from "../core/clock.ts";
import { type RetrySchedule, retryDelayMs } from "../core/retry.ts";
import { restMs } from "./rest.ts";

export interface LookIntervals {
  /** Between two looks at everything while something is under way or amiss. */
  readonly unrestMs: number;
  /** And while all is at rest: for what nobody notes. */
  readonly restMs: number;
  /** After how long an app that is FATAL is tried again. 0: never. */
  readonly fatalRetryMs: number;
}

interface Outlook {
  /** Something of it is under way or amiss. */
  readonly isRestless: boolean;
  /** When everything is to be looked at for its sake, at the latest. */
  readonly dueMs: number;
}

const retrySchedule: RetrySchedule = { firstDelayMs: 250, maxDelayMs: 15_000, factor: 2, jitter: 0.5 };

/** When everything has to be looked at next, by what is known of each app. Times are monotonic milliseconds. */
export class LookSchedule {
  private readonly intervals: LookIntervals;
  private readonly random: Random;
  private outlooks = new Map<string, Outlook>();
  private failures = 0;
  private lookedAtMs = Number.NEGATIVE_INFINITY;
  private dueMs = Number.NEGATIVE_INFINITY;

  constructor(intervals: LookIntervals, random: Random) {
    this.intervals = intervals;
    this.random = random;
  }

  /** The last look failed, or some process is not at rest. */
  get isRestless(): boolean {
    return this.failures > 0 || [...this.outlooks.values()].some(({ isRestless }) => isRestless);
  }

  /** @param isTold whether launchers' notes are told of; else all may have changed at any time */
  nextLookMs(isTold: boolean): number {
    const untold = isTold ? Number.POSITIVE_INFINITY : this.lookedAtMs + this.intervals.unrestMs;
    return Math.min(this.dueMs, untold, ...[...this.outlooks.values()].map(({ dueMs }) => dueMs));
  }

  /** Everything has been looked at, and what each app needs will be `seen` anew. @param isSettled all is as wanted */
  looked(isSettled: boolean, nowMs: number): void {
    const { unrestMs, restMs: longestMs } = this.intervals;
    this.failures = isSettled ? 0 : this.failures + 1;
    const retryMs = Math.min(retryDelayMs(retrySchedule, this.failures, this.random), unrestMs);
    this.lookedAtMs = nowMs;
    this.dueMs = nowMs + (isSettled ? longestMs : retryMs);
    this.outlooks = new Map();
  }

  /** @param wallMs the same instant as `nowMs`, by the clock of the status */
  seen(status: AppStatus, nowMs: number, wallMs: number): void {
    const { unrestMs, fatalRetryMs } = this.intervals;
    const processes = status.processes ?? [status];
    const rest = Math.min(...processes.map((one) => restMs(one, { nowMs: wallMs, fatalRetryMs })));
    const isRestless = rest === 0;
    // Whose turn has come, or is coming, does not lose it by being seen again.
    const before = this.outlooks.get(status.name)?.dueMs ?? Number.POSITIVE_INFINITY;
    const dueMs = isRestless ? Math.min(before, nowMs + unrestMs) : nowMs + rest;
    this.outlooks.set(status.name, { isRestless, dueMs });
  }

  forget(name: string): void {
    this.outlooks.delete(name);
  }
}

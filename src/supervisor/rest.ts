import type { ProcessStatus } from "../core/app-status.ts";

/** What is told in whole hundredths of a second has surely come about by then. */
const marginMs = 20;

/**
 * How long a process may be left to itself: Infinity where all that can happen next is noted by its launcher, 0 where
 * something is under way or amiss, so that somebody has to look whether it comes about.
 *
 * @param fatalRetryMs after how long one that gave up is tried again; 0: never
 */
export function restMs(
  { state, pid, restarting, sinceMs }: ProcessStatus,
  { nowMs, fatalRetryMs }: { readonly nowMs: number; readonly fatalRetryMs: number },
): number {
  switch (state) {
    case "RUNNING":
    case "STOPPED":
      return Number.POSITIVE_INFINITY;
    case "STARTING":
      // That it has lasted long enough the clock tells; that it has not, its launcher.
      return pid === undefined ? 0 : Number.POSITIVE_INFINITY;
    case "EXITED":
      return restarting === true ? 0 : Number.POSITIVE_INFINITY;
    case "FATAL":
      if (fatalRetryMs === 0) return Number.POSITIVE_INFINITY;
      return Math.max(0, sinceMs + fatalRetryMs + marginMs - nowMs);
    case "BACKOFF":
    case "STOPPING":
    case "UNKNOWN":
      return 0;
  }
}

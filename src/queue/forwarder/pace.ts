import type { RetrySchedule } from "../../core/retry.ts";
import type { RequestLimits } from "./progress.ts";

/** How large the requests to one identity's server are at present. */
export interface Pace {
  /** Share of the configured limits, from 1 down to what lets one entry pass. */
  readonly share: number;
  /** Below what a 413 has taught. */
  readonly serverMaxBytes: number;
}

export const fullPace: Pace = { share: 1, serverMaxBytes: Number.POSITIVE_INFINITY };

/** 1 s, 2 s … 60 s, half of it random so that a fleet does not return in step. */
export const uploadBackoff: RetrySchedule = {
  firstDelayMs: 1_000,
  maxDelayMs: 60_000,
  factor: 2,
  jitter: 0.5,
};

/** A request that takes longer keeps live writes waiting, and is lost as a whole where the link breaks. */
const slowMs = 5_000;
const smallestShare = 1 / 1024;

export function limitsAt(pace: Pace, full: RequestLimits): RequestLimits {
  return {
    maxEntries: Math.max(1, Math.floor(full.maxEntries * pace.share)),
    maxBytes: Math.max(1, Math.min(full.maxBytes * pace.share, pace.serverMaxBytes)),
  };
}

/** Grows back as long as requests are quick. */
export function afterAnswer(pace: Pace, durationMs: number): Pace {
  if (durationMs > slowMs) return smaller(pace);
  return durationMs > slowMs / 2 ? pace : { ...pace, share: Math.min(1, pace.share * 2) };
}

/** A request that got no answer in time: a shorter one has a better chance. */
export function afterLoss(pace: Pace): Pace {
  return smaller(pace);
}

/** The server said that a request of so many bytes is too large. */
export function afterTooLarge(pace: Pace, bytes: number): Pace {
  return { ...pace, serverMaxBytes: Math.max(1, Math.min(pace.serverMaxBytes, Math.floor(bytes / 2))) };
}

/** Commits of apps a second from which on they would notice what else the processor does. */
const busyCommitsPerS = 20;
const longestRestMs = 40;

/**
 * How long to rest after a batch, milliseconds: apps that write much get half of the processor back, for catching up can
 * wait. Not where the batch mostly waited for the network.
 * @param commits of apps' entries while the batch was under way
 */
export function restAfter(durationMs: number, commits: number): number {
  const isBusy = commits > 1 && commits * 1_000 >= durationMs * busyCommitsPerS;
  return isBusy ? Math.min(durationMs, longestRestMs) : 0;
}

function smaller(pace: Pace): Pace {
  return { ...pace, share: Math.max(smallestShare, pace.share / 2) };
}

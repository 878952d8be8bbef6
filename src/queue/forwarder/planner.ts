import type { Lane } from "../types.ts";

/** What one identity's uploader knows when it decides. Times are monotonic milliseconds. */
export interface UploadFacts {
  readonly nowMs: number;
  /** Backoff or `Retry-After`: nothing is sent before. */
  readonly notBeforeMs: number;
  readonly hasLive: boolean;
  readonly backlog: { readonly entries: number; readonly oldestWaitedMs: number } | undefined;
  /** Something waits until somebody knows when it was accepted. */
  readonly isHeld: boolean;
  /** `batch_qty` and `batch_record_period` (spec: gmq.md). */
  readonly fullBatch: number;
  readonly longestWaitMs: number;
  /** The last batch of the backlog was full, or came back: what is left is a backlog and no newcomer. */
  readonly isCatchingUp: boolean;
  /** `gmq drain`: nothing waits for company. */
  readonly isHurried: boolean;
  readonly lastLane: Lane;
}

export type UploadStep =
  | { readonly kind: "upload"; readonly lane: Lane }
  | { readonly kind: "wait"; readonly forMs: number; readonly isBackoff: boolean }
  /** Until something is appended; `held` where more of the same would change nothing. */
  | { readonly kind: "idle" | "held" };

/**
 * Decides what to upload now. Live writes go first, yet never twice in a row where a backlog is due: under a constant
 * stream of writes it would otherwise never end. Pure.
 */
export function planUpload(facts: UploadFacts): UploadStep {
  const backlogInMs = backlogDueInMs(facts);
  if (!facts.hasLive && backlogInMs === undefined) return { kind: facts.isHeld ? "held" : "idle" };
  if (facts.notBeforeMs > facts.nowMs) {
    return { kind: "wait", forMs: facts.notBeforeMs - facts.nowMs, isBackoff: true };
  }
  const isBacklogDue = backlogInMs !== undefined && backlogInMs <= 0;
  if (facts.hasLive && !(isBacklogDue && facts.lastLane === "live")) return { kind: "upload", lane: "live" };
  if (isBacklogDue) return { kind: "upload", lane: "backlog" };
  return backlogInMs === undefined
    ? { kind: "idle" }
    : { kind: "wait", forMs: backlogInMs, isBackoff: false };
}

/** How long the backlog may still wait for company; undefined where there is none. */
function backlogDueInMs(facts: UploadFacts): number | undefined {
  const { backlog, isCatchingUp, isHurried, fullBatch, longestWaitMs } = facts;
  if (backlog === undefined) return undefined;
  if (isCatchingUp || isHurried || backlog.entries >= fullBatch) return 0;
  return longestWaitMs - backlog.oldestWaitedMs;
}

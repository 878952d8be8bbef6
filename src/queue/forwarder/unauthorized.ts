/** How long an identity known by its CIK alone may stay at 401 (spec: gmq.md): dead letters after a day. */
const dayMs = 24 * 60 * 60 * 1000;
/** A wall clock that moves by so much against the monotonic one was set. */
const stepMs = 60_000;
/** Before this program was written: a gateway's clock that had not been set yet. */
const earliestTrueMs = Date.UTC(2026, 0, 1);

export interface RefusedMoment {
  /** Wall clock and monotonic clock at one moment, milliseconds. */
  readonly nowMs: number;
  readonly monotonicMs: number;
}

/**
 * Since when it counts as refused, at another 401. A wall clock that was set meanwhile is not taken for time passed:
 * the start moves with it.
 *
 * @param sinceMs as kept; undefined at the first 401
 * @param previous the moment of the last 401 in this process
 */
export function refusedSince(
  sinceMs: number | undefined,
  previous: RefusedMoment | undefined,
  now: RefusedMoment,
): number {
  if (sinceMs === undefined) return now.nowMs;
  const jumpMs =
    previous === undefined ? 0 : now.nowMs - previous.nowMs - (now.monotonicMs - previous.monotonicMs);
  const moved = Math.abs(jumpMs) > stepMs ? sinceMs + jumpMs : sinceMs;
  const isPlausible = moved <= now.nowMs && (moved >= earliestTrueMs || now.nowMs < earliestTrueMs);
  return isPlausible ? moved : now.nowMs;
}

export function isGivenUp(sinceMs: number, nowMs: number): boolean {
  return nowMs - sinceMs >= dayMs;
}

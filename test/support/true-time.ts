import type { Clock } from "../../src/core/clock.ts";
import type { TrueTime } from "../../src/queue/index.ts";

/** A clock that is known to be right, of a machine that booted when it began. */
export function rightTime(bootId: string, clock: Pick<Clock, "now" | "monotonic">): TrueTime {
  return {
    bootId,
    now: () => {
      const nowMs = clock.now();
      return { sinceBootMs: Math.round(clock.monotonic()), stampMs: nowMs, trueMs: nowMs };
    },
    hasHardwareClock: false,
    plausibleSinceMs: 0,
  };
}

/** The same where nobody says whether it is right. */
export function unknownTime(bootId: string, clock: Pick<Clock, "now" | "monotonic">): TrueTime {
  const right = rightTime(bootId, clock);
  return { ...right, now: () => ({ ...right.now(), trueMs: undefined }) };
}

import type { Clock } from "../../src/core/clock.ts";
import type { TrueTime } from "../../src/queue/index.ts";

/** A clock that is known to be right, of a machine that booted when it began. */
export function rightTime(bootId: string, clock: Pick<Clock, "now" | "monotonic">): TrueTime {
  return {
    bootId,
    sinceBootMs: () => clock.monotonic(),
    stampMs: () => clock.now(),
    trueNowMs: () => clock.now(),
    hasHardwareClock: false,
    plausibleSinceMs: 0,
  };
}

/** The same where nobody says whether it is right. */
export function unknownTime(bootId: string, clock: Pick<Clock, "now" | "monotonic">): TrueTime {
  return { ...rightTime(bootId, clock), trueNowMs: () => undefined };
}

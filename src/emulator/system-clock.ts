import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../core/clock.ts";

/** The machine's clock: the emulator shares no platform code with what it is to test. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, { ref: false, ...(signal && { signal }) });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};

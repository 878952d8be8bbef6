import type { Clock } from "./clock.ts";

/** Longer timers fire at once: a sleep ends then, and its caller looks and goes on. */
const longestSleepMs = 2_000_000_000;

/** One loop's sleep between two things to do, which others can cut short. */
export class Sleeper {
  private readonly clock: Pick<Clock, "sleep">;
  private alarm = new AbortController();

  constructor(clock: Pick<Clock, "sleep">) {
    this.clock = clock;
  }

  /** Ends the sleep under way, or else the next one. */
  wake(): void {
    this.alarm.abort();
  }

  /** Resolves after `ms` milliseconds (Infinity: after a very long while), or when woken. @returns whether it was woken */
  async sleep(ms: number): Promise<boolean> {
    if (!this.alarm.signal.aborted) {
      try {
        await this.clock.sleep(Math.min(ms, longestSleepMs), this.alarm.signal);
      } catch (error) {
        if (!this.alarm.signal.aborted) throw error;
      }
    }
    const isWoken = this.alarm.signal.aborted;
    if (isWoken) this.alarm = new AbortController();
    return isWoken;
  }
}

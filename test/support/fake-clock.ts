import type { Clock } from "../../src/core/clock.ts";

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

/** A clock that stands still until the test moves it; `now` and `monotonic` move together. */
export class FakeClock implements Clock {
  private elapsedMs = 0;
  private sleepers: Sleeper[] = [];
  private readonly epochMs: number;

  constructor(epochMs = Date.UTC(2026, 0, 1)) {
    this.epochMs = epochMs;
  }

  now(): number {
    return this.epochMs + this.elapsedMs;
  }

  monotonic(): number {
    return this.elapsedMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const sleeper: Sleeper = { dueMs: this.elapsedMs + ms, wake: resolve };
      this.sleepers.push(sleeper);
      signal?.addEventListener(
        "abort",
        () => {
          this.sleepers = this.sleepers.filter((other) => other !== sleeper);
          reject(signal.reason);
        },
        { once: true },
      );
    });
  }

  /** How many callers sleep, and until when the first of them does. */
  get nextDueMs(): number | undefined {
    return this.sleepers.length === 0 ? undefined : Math.min(...this.sleepers.map(({ dueMs }) => dueMs));
  }

  /** Moves time on, waking sleepers in order and letting what they start run until it sleeps again. */
  async advance(ms: number): Promise<void> {
    const target = this.elapsedMs + ms;
    await settle();
    for (;;) {
      const due = this.sleepers.filter(({ dueMs }) => dueMs <= target).sort((a, b) => a.dueMs - b.dueMs)[0];
      if (due === undefined) break;
      this.elapsedMs = Math.max(this.elapsedMs, due.dueMs);
      this.sleepers = this.sleepers.filter((other) => other !== due);
      due.wake();
      await settle();
    }
    this.elapsedMs = target;
    await settle();
  }
}

/** Lets promise chains and immediates run until nothing is left of them. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

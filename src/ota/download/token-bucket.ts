import type { Clock } from "../../core/clock.ts";

/**
 * Keeps a stream at an average speed: what was taken beyond it is waited out. Time in which less came is made up for,
 * but no more than a second of it.
 */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number;
  #availableBytes: number;
  #filledAt: number;

  constructor({ clock, bytesPerSecond }: { readonly clock: Clock; readonly bytesPerSecond: number }) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#availableBytes = bytesPerSecond;
    this.#filledAt = clock.monotonic();
  }

  /** Resolves when so many bytes more are within the speed. @throws the signal's reason when it aborts first */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic();
    const earned = ((now - this.#filledAt) / 1000) * this.#bytesPerSecond;
    this.#filledAt = now;
    this.#availableBytes = Math.min(this.#bytesPerSecond, this.#availableBytes + earned) - bytes;
    if (this.#availableBytes >= 0) return;
    await this.#clock.sleep((-this.#availableBytes / this.#bytesPerSecond) * 1000, signal);
  }
}

import type { Clock, Random } from "../../core/clock.ts";
import { retryDelayMs } from "../../core/retry.ts";
import { StepFailure } from "../errors.ts";
import type { OtaLimits } from "../limits.ts";

export interface PatienceOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: OtaLimits;
}

/** Whether to go on after an attempt that failed, and when. A link that brings bytes is never slowed down further. */
export class Patience {
  readonly #options: PatienceOptions;
  readonly #startedAt: number;
  #progressAt: number;
  #mostBytes = 0;
  #fruitless = 0;

  constructor(options: PatienceOptions) {
    this.#options = options;
    this.#startedAt = options.clock.monotonic();
    this.#progressAt = this.#startedAt;
  }

  /** From here on bytes beyond these count as progress: a download begins, or begins anew with another content. */
  beginWith(heldBytes: number): void {
    this.#mostBytes = heldBytes;
  }

  /** To be told after each attempt. True when there are more bytes than ever before, not just the same ones again. */
  observe(heldBytes: number): boolean {
    if (heldBytes <= this.#mostBytes) {
      this.#fruitless += 1;
      return false;
    }
    this.#mostBytes = heldBytes;
    this.#fruitless = 0;
    this.#progressAt = this.#options.clock.monotonic();
    return true;
  }

  /**
   * Milliseconds before the next attempt.
   *
   * @param trouble what ended the last one, for the operator
   * @throws StepFailure when it has been tried often or long enough
   */
  delayMs(trouble: string): number {
    const { clock, random, limits } = this.#options;
    const { downloadRetry, downloadResumeDelayMs, downloadAttempts } = limits;
    const last = `the last trouble: ${trouble}`;
    if (this.#fruitless > downloadAttempts) {
      throw new StepFailure(`could not be downloaded: ${this.#fruitless} attempts brought nothing; ${last}`);
    }
    const delayMs =
      this.#fruitless === 0
        ? downloadResumeDelayMs * (1 - downloadRetry.jitter * random())
        : retryDelayMs(downloadRetry, this.#fruitless, random);
    const atMs = clock.monotonic() + delayMs;
    if (atMs - this.#progressAt > limits.downloadDeadlineMs) {
      throw new StepFailure(
        `could not be downloaded: no byte in ${hours(limits.downloadDeadlineMs)} hours; ${last}`,
      );
    }
    if (atMs - this.#startedAt > limits.downloadTotalMs) {
      throw new StepFailure(`could not be downloaded within ${hours(limits.downloadTotalMs)} hours; ${last}`);
    }
    return delayMs;
  }
}

function hours(ms: number): number {
  return Math.round(ms / 360_000) / 10;
}

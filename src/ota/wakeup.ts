import type { Clock } from "../core/clock.ts";

/** Lets one loop sleep until there is something to do, and others wait until it has done something. */
export class Wakeup {
  private pending = false;
  private waker: (() => void) | undefined;
  private settling = Promise.withResolvers<void>();

  /** There is something to do: the loop's wait, or its next one, ends at once. */
  wake(): void {
    this.pending = true;
    this.waker?.();
  }

  /** Resolves at the next `wake`; rejects with the signal's reason when it aborts. */
  async next(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.pending) {
      const woken = Promise.withResolvers<void>();
      const onAbort = (): void => woken.reject(signal.reason);
      this.waker = woken.resolve;
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        await woken.promise;
      } finally {
        this.waker = undefined;
        signal.removeEventListener("abort", onAbort);
      }
    }
    this.pending = false;
  }

  /** As `next`, but resolves after `ms` at the latest. */
  async nextWithin(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
    const either = new AbortController();
    const inner = AbortSignal.any([signal, either.signal]);
    const quiet = (): undefined => undefined;
    await Promise.race([this.next(inner).catch(quiet), clock.sleep(ms, inner).catch(quiet)]);
    either.abort();
    signal.throwIfAborted();
  }

  /** The loop has finished a piece of work. */
  settle(): void {
    this.settling.resolve();
    this.settling = Promise.withResolvers<void>();
  }

  /** Resolves at the next `settle`. */
  settled(): Promise<void> {
    return this.settling.promise;
  }
}

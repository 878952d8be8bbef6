/** What `waitFor` watches. */
export interface Watchable {
  watch(listener: () => void): () => void;
}

export interface WaitOptions {
  readonly timeoutMs: number;
  /** Tells of a client that no longer waits; returns what ends the telling. */
  readonly onGone?: (listener: () => void) => () => void;
}

/** Resolves to the first result of `check` that is not undefined; to undefined when time is up. */
export async function waitFor<T>(
  source: Watchable,
  check: () => T | undefined,
  { timeoutMs, onGone }: WaitOptions,
): Promise<T | undefined> {
  const now = check();
  if (now !== undefined || timeoutMs <= 0) return now;
  return new Promise((resolve) => {
    const finish = (result: T | undefined) => {
      clearTimeout(timer);
      unwatch();
      forget?.();
      resolve(result);
    };
    const timer = setTimeout(() => finish(undefined), timeoutMs);
    const forget = onGone?.(() => finish(undefined));
    const unwatch = source.watch(() => {
      const result = check();
      if (result !== undefined) finish(result);
    });
  });
}

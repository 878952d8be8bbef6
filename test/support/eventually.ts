import { setTimeout as delay } from "node:timers/promises";

/**
 * How long a test waits for what must come: it bounds a hang, and says nothing of how fast anything is. A machine that
 * has other things to do takes its time.
 */
export const patienceMs = 60_000;

/** Waiting for a condition took longer than a test may wait. */
export class GaveUpError extends Error {
  override readonly name = "GaveUpError";
}

/** Asks, seldomer the longer it takes, until the answer is neither undefined nor false. @throws GaveUpError */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  deadlineMs = patienceMs,
): Promise<T> {
  const begun = performance.now();
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    const waitedMs = performance.now() - begun;
    if (waitedMs > deadlineMs) throw new GaveUpError(`gave up waiting for ${what}`);
    // What comes soon is noticed soon; what takes long is not slowed down by being asked for.
    await delay(Math.min(5 + waitedMs / 20, 50));
  }
}

import { setTimeout as delay } from "node:timers/promises";

/**
 * How long a test waits for what must come: it bounds a hang, and says nothing of how fast anything is. A machine that
 * has other things to do takes its time.
 */
export const patienceMs = 30_000;

/** Waiting for a condition took longer than a test may wait. */
export class GaveUpError extends Error {
  override readonly name = "GaveUpError";
}

/** Asks every few milliseconds until the answer is neither undefined nor false. @throws GaveUpError */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  deadlineMs = patienceMs,
): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new GaveUpError(`gave up waiting for ${what}`);
    await delay(20);
  }
}

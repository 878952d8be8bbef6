import { setTimeout as delay } from "node:timers/promises";
import type { Clock, Random } from "../core/clock.ts";
import { type RetrySchedule, retryDelayMs } from "../core/retry.ts";
import type { CallOptions, DeviceApi } from "./api.ts";
import { isTransient, NetworkError, RateLimitedError, ServerError, TimeoutError } from "./errors.ts";
import { areRepeatable } from "./repeatable.ts";

export interface RetryOptions {
  /** Default: from 1 s to 1 min, doubling, half of it random. */
  readonly schedule?: RetrySchedule;
  /** Default: the process' own. */
  readonly clock?: Pick<Clock, "sleep"> & Partial<Clock>;
  /** Default: `Math.random`. */
  readonly random?: Random;
  /** Tries at most, the first one included; default 5. */
  readonly attempts?: number;
}

const defaults: Required<RetryOptions> = {
  schedule: { firstDelayMs: 1_000, maxDelayMs: 60_000, factor: 2, jitter: 0.5 },
  clock: { sleep: sleepAwake },
  random: Math.random,
  attempts: 5,
};

/** Unlike a `Clock`'s, this one keeps the process alive: a program whose one request is being retried must not end. */
async function sleepAwake(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, signal && { signal });
  } catch (error) {
    // Node rejects with an error of its own; callers are promised the signal's reason.
    signal?.throwIfAborted();
    throw error;
  }
}

/**
 * The same API, with what failed for a passing reason tried again. Reads, records, content calls, `timestamp` and
 * RPC calls of that kind are repeated after any transient error; `write`, `writeRead` and `activate` only when
 * Murano surely has not acted on them: nothing had been sent, or the answer was 429. Other 4xx are never repeated.
 *
 * `Retry-After` lengthens the pause; one beyond `schedule.maxDelayMs` ends the trying, and the error tells the
 * caller when. An abort ends a pause at once. A download is repeated until it is answered; a body that is cut is the
 * caller's to resume from where it stopped.
 */
export function withRetry(api: DeviceApi, given: RetryOptions = {}): DeviceApi {
  const options = { ...defaults, ...given };
  const always = <T>(call: () => Promise<T>, callOptions?: CallOptions) =>
    retry(call, { ...options, isRepeatable: isTransient, signal: callOptions?.signal });
  const ifUnheard = <T>(call: () => Promise<T>, callOptions?: CallOptions) =>
    retry(call, { ...options, isRepeatable: wasUnheard, signal: callOptions?.signal });
  return {
    write: (values, o) => ifUnheard(() => api.write(values, o), o),
    read: (aliases, o) => always(() => api.read(aliases, o), o),
    writeRead: (values, aliases, o) => {
      const isRead = Object.keys(values).length === 0;
      return (isRead ? always : ifUnheard)(() => api.writeRead(values, aliases, o), o);
    },
    longPoll: (alias, o) => always(() => api.longPoll(alias, o), o),
    record: (series, o) => always(() => api.record(series, o), o),
    recordAlias: (alias, points, o) => always(() => api.recordAlias(alias, points, o), o),
    rpc: (calls, o) => (areRepeatable(calls) ? always : ifUnheard)(() => api.rpc(calls, o), o),
    readHistory: (alias, o) => always(() => api.readHistory(alias, o), o),
    activate: (request, o) => ifUnheard(() => api.activate(request, o), o),
    listContent: (o) => always(() => api.listContent(o), o),
    contentInfo: (id, o) => always(() => api.contentInfo(id, o), o),
    download: (request, o) => always(() => api.download(request, o), o),
    timestamp: (o) => always(() => api.timestamp(o), o),
  };
}

interface Retrying extends Required<RetryOptions> {
  readonly isRepeatable: (error: unknown) => boolean;
  readonly signal: AbortSignal | undefined;
}

async function retry<T>(call: () => Promise<T>, options: Retrying): Promise<T> {
  const { schedule, clock, random, attempts, isRepeatable, signal } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      const askedMs = serverDelayMs(error);
      if (attempt >= attempts || signal?.aborted || !isRepeatable(error)) throw error;
      if (askedMs > schedule.maxDelayMs) throw error;
      await clock.sleep(Math.max(askedMs, retryDelayMs(schedule, attempt, random)), signal);
    }
  }
}

/** True when Murano cannot have acted on the request. */
function wasUnheard(error: unknown): boolean {
  if (error instanceof RateLimitedError) return true;
  return (error instanceof NetworkError || error instanceof TimeoutError) && !error.requestSent;
}

function serverDelayMs(error: unknown): number {
  const hasDelay = error instanceof RateLimitedError || error instanceof ServerError;
  return hasDelay ? (error.retryAfterMs ?? 0) : 0;
}

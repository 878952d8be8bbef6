import { classifyFailure, pauseAfter } from "../core/api-failure.ts";
import type { Clock, Random } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { type RetrySchedule, retryDelayMs } from "../core/retry.ts";
import type { DeviceApi } from "../device-client/index.ts";

export interface CommandWatchDependencies {
  /** Without activation at a 401: that is the check-in's business, and its backoff's. */
  readonly api: Pick<DeviceApi, "longPoll">;
  /** The server's clock at the last check-in; undefined before the first, and polling waits for it. */
  readonly checkedInUntilMs: () => number | undefined;
  readonly onCommand: () => void;
  /** The CIK is no longer valid: a check-in will find out what to do. */
  readonly onUnauthorized: () => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** How long the server may hold one poll, at most 300 000 ms. */
  readonly timeoutMs: number;
}

const backoff: RetrySchedule = { firstDelayMs: 1_000, maxDelayMs: 300_000, factor: 2, jitter: 0.5 };
const firstCheckInPollMs = 1_000;
/** A poll that is answered sooner without news was not held: some servers and proxies do not know how to. */
const heldMs = 1_000;

/**
 * Holds a long poll on `engine_fetch`, so that a command starts within a second of being written
 * (`check_in = long-poll`). The interval's check-ins go on beside it and catch whatever a broken poll misses.
 */
export async function watchForCommands(
  dependencies: CommandWatchDependencies,
  signal: AbortSignal,
): Promise<void> {
  const { api, clock, timeoutMs, onCommand } = dependencies;
  let sinceMs: number | undefined;
  let lastValue: string | undefined;
  let failures = 0;
  let notHeld = 0;
  while (!signal.aborted) {
    try {
      sinceMs ??= startOfWatch(dependencies.checkedInUntilMs());
      if (sinceMs === undefined) {
        await clock.sleep(firstCheckInPollMs, signal);
        continue;
      }
      const startedMs = clock.monotonic();
      const answer = await api.longPoll("engine_fetch", { timeoutMs, signal, sinceMs });
      failures = 0;
      const isSame =
        answer.changed &&
        answer.value === lastValue &&
        (answer.lastModifiedMs === undefined || answer.lastModifiedMs === sinceMs);
      const isNews = answer.changed && !isSame;
      if (answer.changed) {
        lastValue = answer.value;
        sinceMs = answer.lastModifiedMs ?? answer.serverTimeMs ?? sinceMs;
        if (isNews && answer.value !== "") onCommand();
      }
      const isQuick = clock.monotonic() - startedMs < heldMs;
      notHeld = isQuick && !isNews ? notHeld + 1 : 0;
      if (notHeld > 0) await clock.sleep(retryDelayMs(backoff, notHeld, dependencies.random), signal);
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      await pauseAfterFailure(dependencies, error, failures, signal);
    }
  }
}

async function pauseAfterFailure(
  { clock, random, logger, onUnauthorized }: CommandWatchDependencies,
  error: unknown,
  failures: number,
  signal: AbortSignal,
): Promise<void> {
  const failure = classifyFailure(error);
  if (failure.kind === "unauthorized") onUnauthorized();
  const delayMs = pauseAfter(failure, retryDelayMs(backoff, failures, random));
  logger.info("long poll failed", { reason: describeError(error), retryInMs: Math.round(delayMs) });
  await clock.sleep(delayMs, signal).catch(() => undefined);
}

/** A second before the check-in's whole-second time: a value written in that same second is met, once too often at worst. */
function startOfWatch(checkedInUntilMs: number | undefined): number | undefined {
  return checkedInUntilMs === undefined ? undefined : checkedInUntilMs - 1_000;
}

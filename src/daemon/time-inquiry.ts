import { classifyFailure } from "../core/api-failure.ts";
import type { Clock, Random } from "../core/clock.ts";
import { describeError, GweError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { type RetrySchedule, retryDelayMs } from "../core/retry.ts";
import type { CallOptions, DeviceClient } from "../device-client/index.ts";
import type { ClockKeeper } from "./clock-keeper.ts";
import type { SystemTime } from "./system-time.ts";

export interface TimeInquiryDependencies {
  readonly keeper: ClockKeeper;
  readonly system: Pick<SystemTime, "ask">;
  readonly client: Pick<DeviceClient, "timestamp" | "timestampFromAnyTime">;
  /** When this engine was built, unix milliseconds. */
  readonly builtAtMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const backoff: RetrySchedule = { firstDelayMs: 5_000, maxDelayMs: 300_000, factor: 2, jitter: 0.5 };
/** The first check-in tells the time too: mostly nobody need be asked. */
const firstPauseMs = 5_000;
/** OpenSSL's words for a certificate that is right but for the time. */
const dateFaults: readonly unknown[] = ["CERT_NOT_YET_VALID", "CERT_HAS_EXPIRED"];

/** Asks until the time is known: the operating system, and Murano. Resolves then, or when `stop` aborts. */
export async function inquireTime(dependencies: TimeInquiryDependencies, stop: AbortSignal): Promise<void> {
  const { keeper, system, clock, random, logger } = dependencies;
  const known = new AbortController();
  const ended = AbortSignal.any([stop, known.signal]);
  const forget = keeper.onTrusted(() => known.abort());
  try {
    await system.ask();
    // With a clock that is plainly wrong nothing else will get through to Murano.
    if (!keeper.isPlainlyWrong) await clock.sleep(firstPauseMs, ended);
    for (let attempt = 1; !ended.aborted; attempt++) {
      try {
        await askServerTime(dependencies, { signal: ended });
      } catch (error) {
        ended.throwIfAborted();
        logger.debug("the time could not be had", { reason: describeError(error) });
        if (classifyFailure(error).kind === "rejected") keeper.assume();
      }
      await clock.sleep(retryDelayMs(backoff, attempt, random), ended);
      await system.ask();
    }
  } catch (error) {
    if (!ended.aborted) throw error;
  } finally {
    forget();
  }
}

/**
 * Asks Murano for the time, on a connection of its own where the system's clock makes its certificate look wrong, and
 * has the keeper learn it.
 * @returns unix seconds
 */
export async function askServerTime(
  { keeper, client, builtAtMs }: Pick<TimeInquiryDependencies, "keeper" | "client" | "builtAtMs">,
  options: CallOptions,
): Promise<number> {
  const sentMs = keeper.serverClock.nowMs();
  const timestamp = await client.timestamp(options).catch((error: unknown) => {
    if (!isDateFault(error)) throw error;
    return client.timestampFromAnyTime(Math.floor(builtAtMs / 1000), options);
  });
  keeper.heardServer({ dateMs: timestamp * 1000, sentMs, receivedMs: keeper.serverClock.nowMs() });
  return timestamp;
}

function isDateFault(error: unknown): boolean {
  return error instanceof GweError && dateFaults.includes(error.context.code);
}

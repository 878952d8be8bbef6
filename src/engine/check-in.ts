import { longestTimerS } from "../core/clock.ts";
import type { Logger } from "../core/logger.ts";
import type { CallOptions, DeviceApi } from "../device-client/index.ts";
import type { CommandIntake } from "./command-intake.ts";
import type { Outbox } from "./outbox.ts";
import type { ReportComposer } from "./report-composer.ts";

/** Where a new check-in interval is kept (`Engine.config`, which takes 1 to `longestTimerS` seconds). */
export interface IntervalStorage {
  /** Durable when it returns. */
  persistUpdateInterval(seconds: number): void;
}

export interface CheckInDependencies {
  readonly api: Pick<DeviceApi, "read" | "writeRead" | "write">;
  readonly outbox: Outbox;
  readonly composer: ReportComposer;
  readonly intake: CommandIntake;
  readonly intervals: IntervalStorage;
  readonly now: () => number;
  readonly logger: Logger;
}

export interface CheckInResult {
  /** A new interval in seconds, already persisted; undefined when Murano asked for none. */
  readonly updateIntervalS: number | undefined;
  /** The server's clock at the answer. */
  readonly serverTimeMs: number | undefined;
}

/**
 * One check-in: a single hybrid request carries the waiting reports and reads `engine_fetch` and `update_interval`;
 * a second one clears what was taken, only where there was something.
 *
 * @throws DeviceApiError as the device client does; what was not answered for stays in the outbox
 */
export async function checkIn(
  dependencies: CheckInDependencies,
  options: CallOptions,
): Promise<CheckInResult> {
  const { api, outbox, composer, intake, logger } = dependencies;
  await composer.compose();
  const batch = outbox.nextBatch();
  const answer = await api.writeRead(batch.values, ["engine_fetch", "update_interval"], options);
  // The newest of each report is replaced at the next check-in anyway; only results cost a commit of their own.
  if (batch.values.fetch_status !== undefined || batch.values.device_info !== undefined)
    outbox.delivered(batch);
  composer.answered();
  logger.debug("checked in", { reports: Object.keys(batch.values) });

  const intervalText = answer.values.get("update_interval") ?? "";
  const updateIntervalS = intervalText === "" ? undefined : applyInterval(dependencies, intervalText);
  const clearInterval = intervalText === "" ? [] : ["update_interval"];
  const command = answer.values.get("engine_fetch") ?? "";
  if (command !== "") await intake.take(command, clearInterval, options);
  else {
    if (clearInterval.length > 0) await api.write({ update_interval: "" }, options);
    await intake.nothingThere(options);
  }
  return { updateIntervalS, serverTimeMs: answer.serverTimeMs };
}

/** Reads `engine_fetch` alone and takes over what it holds: the answer to a long poll that woke. */
export async function takeCommand(
  { api, intake }: Pick<CheckInDependencies, "api" | "intake">,
  options: CallOptions,
): Promise<void> {
  const command = (await api.read(["engine_fetch"], options)).values.get("engine_fetch") ?? "";
  await (command === "" ? intake.nothingThere(options) : intake.take(command, [], options));
}

function applyInterval(
  { intervals, outbox, now, logger }: CheckInDependencies,
  text: string,
): number | undefined {
  const seconds = /^\s*\d+\s*$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= 1 && seconds <= longestTimerS) {
    intervals.persistUpdateInterval(seconds);
    logger.info("new check-in interval", { seconds });
    return seconds;
  }
  const message = `update_interval ${JSON.stringify(text.slice(0, 100))} is refused: expected whole seconds from 1 to ${longestTimerS}`;
  logger.warn("update_interval refused", { value: text.slice(0, 100) });
  outbox.put("fetch_status", JSON.stringify({ error: message }), `update-interval-${now()}`);
  return undefined;
}

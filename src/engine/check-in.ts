import { longestTimerS } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { ReportOutbox } from "../core/reports.ts";
import type { CallOptions, DeviceApi } from "../device-client/index.ts";
import type { CommandIntake } from "./command-intake.ts";
import type { ReportDelivery } from "./report-delivery.ts";

/** Where a new check-in interval goes. */
export interface IntervalSink {
  /** Seconds; in force when it returns. */
  apply(seconds: number): void;
  /** Keeps it in `Engine.config`; durable when it returns. */
  persist(seconds: number): void;
}

export interface CheckInDependencies {
  readonly api: Pick<DeviceApi, "read" | "write">;
  readonly delivery: ReportDelivery;
  readonly outbox: ReportOutbox;
  readonly intake: CommandIntake;
  readonly intervals: IntervalSink;
  readonly logger: Logger;
}

export interface CheckInResult {
  /** The server's clock at the answer. */
  readonly serverTimeMs: number | undefined;
}

/**
 * One check-in: a single hybrid request carries the waiting reports and reads `engine_fetch` and `update_interval`;
 * a second one clears what was taken, only where there was something.
 *
 * @throws DeviceApiError as the device client does; what was not answered for stays in the outbox. Commands are taken
 *   over even where Murano refuses the reports
 */
export async function checkIn(
  dependencies: CheckInDependencies,
  options: CallOptions,
): Promise<CheckInResult> {
  const { api, delivery, intake } = dependencies;
  const { answer, refusal } = await delivery.exchange(["engine_fetch", "update_interval"], options);
  const { serverTimeMs } = answer;
  const intervalText = answer.values.get("update_interval") ?? "";
  const isIntervalDone = intervalText !== "" && applyInterval(dependencies, intervalText);
  const alsoClear = isIntervalDone ? ["update_interval"] : [];
  const command = answer.values.get("engine_fetch") ?? "";
  if (command !== "") await intake.take({ text: command, serverTimeMs, alsoClear }, options);
  else {
    if (isIntervalDone) await api.write({ update_interval: "" }, options);
    await intake.nothingThere(options);
  }
  if (refusal !== undefined) throw refusal;
  return { serverTimeMs };
}

/** Reads `engine_fetch` alone and takes over what it holds: the answer to a long poll that woke. */
export async function takeCommand(
  { api, intake }: Pick<CheckInDependencies, "api" | "intake">,
  options: CallOptions,
): Promise<void> {
  const { values, serverTimeMs } = await api.read(["engine_fetch"], options);
  const text = values.get("engine_fetch") ?? "";
  await (text === "" ? intake.nothingThere(options) : intake.take({ text, serverTimeMs }, options));
}

/** @returns whether Murano's value is done with, and may be cleared */
function applyInterval({ intervals, outbox, logger }: CheckInDependencies, text: string): boolean {
  const seconds = /^\s*\d{1,12}\s*$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= 1 && seconds <= longestTimerS) {
    intervals.apply(seconds);
    try {
      intervals.persist(seconds);
    } catch (error) {
      // It is in force; not cleared, it is met again at every check-in until the disk takes it.
      logger.error("the new check-in interval cannot be kept", { seconds, error: describeError(error) });
      return false;
    }
    logger.info("new check-in interval", { seconds });
    return true;
  }
  const value = text.slice(0, 100);
  const message = `update_interval ${JSON.stringify(value)} is refused: expected whole seconds from 1 to ${longestTimerS}`;
  logger.warn("update_interval refused", { value });
  outbox.put("fetch_status", JSON.stringify({ error: message }), `update-interval-${value}`);
  return true;
}

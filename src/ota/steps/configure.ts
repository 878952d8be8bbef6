import { describeError, InvariantError } from "../../core/errors.ts";
import { retryDelayMs } from "../../core/retry.ts";
import { StepFailure } from "../errors.ts";
import type { OtaDependencies } from "../ports.ts";
import type { SettingsHost } from "../settings-host.ts";
import type { Restoring, SettingTexts, Trying } from "../settings-trial.ts";
import { type JobEvent, noResult } from "../state-machine.ts";
import type { StepContext } from "./step.ts";

/** Between attempts to put old settings back: a full disk has room again, a read-only one is repaired. */
const restoreRetry = { firstDelayMs: 1_000, maxDelayMs: 60_000, factor: 2, jitter: 0.5 };

/**
 * Checks new settings and notes the old ones. Changes nothing.
 * @throws StepFailure naming every key that is unknown or has a bad value
 */
export function noteSettings(
  { deps }: StepContext,
  wanted: SettingTexts,
): Extract<JobEvent, { type: "performed" | "settings-noted" }> {
  const settings = settingsOf(deps);
  const faults = settings.files.faultsOf(wanted);
  if (faults.length > 0) throw new StepFailure(`nothing was changed: ${faults.join("; ")}`);
  const keys = Object.keys(wanted);
  const before = settings.files.current(keys);
  if (keys.every((key) => before[key] === wanted[key]) && settings.files.areInForce(keys)) {
    return { type: "performed", note: `in force already: ${list(wanted)}`, result: noResult };
  }
  settings.files.forgetOld();
  return { type: "settings-noted", before, after: wanted };
}

/**
 * Puts new settings in force, by a restart of the engine where they are not yet, and waits for a check-in. Answers
 * from time to time without one, so that the time is on record.
 * @throws StepFailure when none came in time, or they could not be put in force; the signal's reason when aborted
 */
export async function trySettings(
  { deps, signal }: StepContext,
  { before, after, waitedMs }: Trying,
): Promise<Extract<JobEvent, { type: "proved" | "waited" }>> {
  const settings = settingsOf(deps);
  const { settingsTrialMs, settingsTrialNoteMs } = deps.limits;
  settings.files.apply(before, after);
  if (!settings.files.areInForce(Object.keys(after))) {
    const fault = settings.files.startFault();
    if (fault !== undefined) throw new StepFailure(`the engine could not start with the files: ${fault}`);
    return restarted(settings, signal);
  }
  const leftMs = settingsTrialMs - waitedMs;
  if (leftMs <= 0) {
    const trouble = settings.lastTrouble();
    const why = trouble === undefined ? "" : `; the last trouble: ${trouble}`;
    throw new StepFailure(`no check-in succeeded within ${describeTime(settingsTrialMs)}${why}`);
  }
  const sliceMs = Math.min(leftMs, settingsTrialNoteMs);
  if (!(await settings.checkedIn(sliceMs, signal))) return { type: "waited", waitedMs: waitedMs + sliceMs };
  settings.files.forgetOld();
  return { type: "proved", note: `in force: ${list(after, before)}` };
}

/**
 * Puts the old settings back and in force. What the disk refuses is tried until it takes it: an engine that cannot
 * reach Murano has nothing better to do.
 * @throws the signal's reason when aborted
 */
export async function restoreSettings(
  context: StepContext,
  { before, after }: Restoring,
): Promise<Extract<JobEvent, { type: "rolled-back" }>> {
  const { deps, signal } = context;
  const settings = settingsOf(deps);
  await untilWritten(context, () => settings.files.putBack(before, after));
  const keys = Object.keys(before);
  const fault = settings.files.startFault();
  if (!settings.files.areInForce(keys) && fault === undefined) return restarted(settings, signal);
  const now = settings.files.current(keys);
  const others = keys.filter((key) => now[key] !== before[key]);
  const notes = [
    `put back: ${list(before)}`,
    ...(others.length === 0 ? [] : [`changed by somebody else meanwhile, and left: ${others.join(", ")}`]),
    ...(fault === undefined ? [] : [`for the next start of the engine, which now fails: ${fault}`]),
  ];
  settings.files.forgetOld();
  return { type: "rolled-back", note: notes.join("; "), result: noResult };
}

async function untilWritten({ deps, signal }: StepContext, write: () => void): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      write();
      return;
    } catch (error) {
      const delayMs = retryDelayMs(restoreRetry, attempt, deps.random);
      deps.logger.error("the old settings cannot be written", { reason: describeError(error), delayMs });
      await deps.clock.sleep(delayMs, signal);
    }
  }
}

/** The engine's next run goes on from the journal. */
async function restarted(settings: SettingsHost, signal: AbortSignal): Promise<never> {
  const stopped = Promise.withResolvers<never>();
  const onAbort = (): void => stopped.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  else settings.restartEngine();
  return stopped.promise;
}

function settingsOf({ settings }: Pick<OtaDependencies, "settings">): SettingsHost {
  if (settings === undefined) throw new InvariantError("a run without settings has begun to change them");
  return settings;
}

function list(settings: SettingTexts, before?: SettingTexts): string {
  return Object.entries(settings)
    .map(([key, text]) => {
      const was = before === undefined ? "" : ` (was ${before[key] || "the default"})`;
      return `${key} = ${text || "the default"}${was}`;
    })
    .join(", ");
}

function describeTime(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000} minutes` : `${Math.round(ms / 1000)} s`;
}

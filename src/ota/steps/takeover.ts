import type { InstalledApp } from "../../core/app-host.ts";
import type { AppStatus } from "../../core/app-status.ts";
import { StepFailure } from "../errors.ts";
import type { StepContext } from "./step.ts";

/** Registers a version with supervision, which (re)starts it. @throws as `inTime` */
export function deploy(context: StepContext, app: InstalledApp): Promise<void> {
  return inTime(context, context.deps.host.deploy(app), "take over the app");
}

/** Stops and forgets an app. @throws as `inTime` */
export function withdraw(context: StepContext): Promise<void> {
  return inTime(context, context.deps.host.withdraw(context.job.app), "let go of the app");
}

/**
 * Supervision that takes long must not hold up all further updates, nor the engine's end.
 * @throws StepFailure when it takes too long; what the work throws; the signal's reason when aborted
 */
export async function inTime(
  { deps: { clock, limits }, signal }: StepContext,
  work: Promise<void>,
  what: string,
): Promise<void> {
  const waited = new AbortController();
  const tooLate = clock.sleep(limits.deployTimeoutMs, AbortSignal.any([signal, waited.signal])).then(
    () => {
      const seconds = Math.round(limits.deployTimeoutMs / 1000);
      throw new StepFailure(`supervision did not ${what} within ${seconds} seconds`);
    },
    () => signal.throwIfAborted(),
  );
  try {
    await Promise.race([work, tooLate]);
  } finally {
    waited.abort();
  }
}

/** How an app's start came out. */
export async function settled({ deps, job, signal }: StepContext): Promise<AppStatus> {
  const status = await deps.host.settled(job.app, deps.limits.settleTimeoutMs, signal);
  signal.throwIfAborted();
  return status;
}

/** Whether a start has come to nothing. A long `startsecs` has not failed. */
export function hasFailed({ state }: AppStatus): boolean {
  return state === "BACKOFF" || state === "FATAL" || state === "STOPPING" || state === "UNKNOWN";
}

export function describeStatus({ state, exitStatus, signal, detail }: AppStatus): string {
  const end = signal ?? (exitStatus === undefined ? undefined : `exit status ${exitStatus}`);
  return [state, end, detail].filter((part) => part !== undefined && part !== "").join(", ");
}

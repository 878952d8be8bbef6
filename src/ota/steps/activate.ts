import type { InstalledApp } from "../../core/app-host.ts";
import type { AppStatus } from "../../core/app-status.ts";
import { StepFailure } from "../errors.ts";
import type { OtaDependencies } from "../ports.ts";
import type { InstallerResult, UnpackedApp } from "../state-machine.ts";
import type { StepContext } from "./step.ts";

/**
 * Hands the installed version to supervision and watches its start. May be repeated. Resolves to a note for the
 * report, empty when there is nothing to say.
 *
 * @throws StepFailure when the app does not start; the signal's reason when aborted
 */
export async function activate(
  { deps, job, signal }: StepContext,
  app: UnpackedApp,
  result: InstallerResult,
): Promise<string> {
  await deploy(
    deps,
    { name: job.app, version: job.version, kind: app.kind, directory: app.directory },
    signal,
  );
  if (app.kind !== "long-running") return "";
  const status = await deps.host.settled(job.app, deps.limits.settleTimeoutMs, signal);
  signal.throwIfAborted();
  const complaint = complaintAbout(status);
  if (complaint === undefined) return status.state === "RUNNING" ? "" : noteOn(status);
  throw new StepFailure(complaint, {
    exitCode: result.exitCode,
    output: result.output,
    outputBytesCut: result.outputBytesCut,
  });
}

/** Supervision that takes long must not hold up all further updates, nor the engine's end. */
async function deploy(
  { host, clock, limits }: OtaDependencies,
  app: InstalledApp,
  signal: AbortSignal,
): Promise<void> {
  const waited = new AbortController();
  const tooLate = clock.sleep(limits.deployTimeoutMs, AbortSignal.any([signal, waited.signal])).then(
    () => {
      const seconds = Math.round(limits.deployTimeoutMs / 1000);
      throw new StepFailure(`supervision did not take over the app within ${seconds} seconds`);
    },
    () => signal.throwIfAborted(),
  );
  try {
    await Promise.race([host.deploy(app), tooLate]);
  } finally {
    waited.abort();
  }
}

function complaintAbout(status: AppStatus): string | undefined {
  switch (status.state) {
    case "RUNNING":
    case "EXITED":
    case "STOPPED":
    // A long `startsecs`: it has not failed.
    case "STARTING":
      return undefined;
    case "BACKOFF":
    case "FATAL":
    case "STOPPING":
    case "UNKNOWN":
      return `installed, but the app does not start: ${describe(status)}`;
  }
}

function noteOn(status: AppStatus): string {
  return status.state === "STOPPED"
    ? "installed; the app is wanted stopped"
    : `installed; ${describe(status)}`;
}

function describe({ state, exitStatus, signal, detail }: AppStatus): string {
  const end = signal ?? (exitStatus === undefined ? undefined : `exit status ${exitStatus}`);
  return [state, end, detail].filter((part) => part !== undefined && part !== "").join(", ");
}

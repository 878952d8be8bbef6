import type { InstallerResult, JobEvent, UnpackedApp } from "../state-machine.ts";
import { appFailure } from "./app-log.ts";
import { hasScript } from "./script.ts";
import type { StepContext } from "./step.ts";
import { deploy, describeStatus, hasFailed, settled } from "./takeover.ts";

/**
 * Hands the installed version to supervision and watches its start. May be repeated. Resolves to a note for the
 * report, empty when there is nothing to say, and whether the app has to prove itself.
 *
 * @throws StepFailure when the app does not start; the signal's reason when aborted
 */
export async function activate(
  context: StepContext,
  { directory, kind }: UnpackedApp,
  result: InstallerResult,
): Promise<Extract<JobEvent, { type: "activated" }>> {
  const { job } = context;
  await deploy(context, { name: job.app, version: job.version, kind, directory });
  if (kind !== "long-running") return { type: "activated", note: "", probation: false };
  const status = await settled(context);
  const { state } = status;
  const hasHealth = await hasScript(context, "health", directory);
  // Without a script to say so, only a start that supervision has given up counts as failed: an app may wait in BACKOFF
  // for what it needs, and while supervision itself is away nothing could be put back either.
  if (state === "FATAL" || (hasHealth && hasFailed(status))) {
    const complaint = `installed, but the app does not start: ${describeStatus(status)}`;
    throw await appFailure(context, complaint, status, result);
  }
  // What has ended for good has nothing more to prove: many apps run once at boot.
  const runs = state === "RUNNING" || state === "STARTING";
  const probation = runs && hasHealth;
  if (state === "RUNNING") return { type: "activated", note: "", probation };
  const note = state === "STOPPED" ? "the app is wanted stopped" : describeStatus(status);
  return { type: "activated", note: `installed; ${note}`, probation };
}

import type { InstallerResult, UnpackedApp } from "../state-machine.ts";
import { type OnStarted, runInstaller, runOptional } from "./script.ts";
import { afterResult, joinResults } from "./script-result.ts";
import type { StepContext } from "./step.ts";

/**
 * Runs the package's `pre-install`, its installer and its `post-install`, and resolves to what they left.
 *
 * @throws StepFailure, with the output so far, at the first that does not end with exit status 0; the signal's reason
 *   when aborted
 */
export async function install(
  context: StepContext,
  app: UnpackedApp,
  onStarted: OnStarted,
): Promise<InstallerResult> {
  const { deps, job } = context;
  const maxBytes = deps.limits.installerOutputBytes;
  const owner = {
    ...app,
    version: job.version,
    previousVersion: deps.host.installed(job.app)?.version,
  };
  let result = await runOptional(context, "pre-install", owner, onStarted);
  try {
    result = joinResults(result, await runInstaller(context, owner, onStarted), maxBytes);
    return joinResults(result, await runOptional(context, "post-install", owner, onStarted), maxBytes);
  } catch (error) {
    throw afterResult(result, error, maxBytes);
  }
}

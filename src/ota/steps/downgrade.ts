import { StepFailure } from "../errors.ts";
import { isDowngrade } from "../verification/version-order.ts";
import type { StepContext } from "./step.ts";

/**
 * Anti-downgrade, where it is configured: checked before the download, which it spares. Going back to a kept version
 * is not an installation and does not come here.
 * @throws StepFailure when a newer version is installed
 */
export function requireNoDowngrade({ deps, job }: Pick<StepContext, "deps" | "job">): void {
  if (deps.allowDowngrade) return;
  const installed = deps.host.installed(job.app);
  if (installed === undefined || !isDowngrade(installed.version, job.version)) return;
  throw new StepFailure(
    `version ${job.version} is older than the installed ${installed.version}, and allow_downgrade is false`,
  );
}

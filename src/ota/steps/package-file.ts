import { join } from "node:path";
import { packageFiles } from "../download/partial-file.ts";
import { StepFailure } from "../errors.ts";
import type { OtaDependencies } from "../ports.ts";
import type { StepContext } from "./step.ts";

/** Where the job's package lies, or will lie once it is whole. */
export function packageFile({ deps, job }: Pick<StepContext, "deps" | "job">): string {
  switch (job.source.kind) {
    case "content":
      return join(deps.directories.packages, job.source.id);
    case "file":
      return job.source.path;
    case "none":
      throw new StepFailure("the job has no package");
  }
}

/** Removes what was downloaded for a job. A caller's own file stays. */
export async function discardPackage(context: Pick<StepContext, "deps" | "job">): Promise<void> {
  if (context.job.source.kind !== "content") return;
  for (const file of Object.values(packageFiles(packageFile(context)))) {
    await removeLeftover(context.deps, file);
  }
}

/** Removes what is not needed any more. What cannot be removed now is tried again later, and holds up nothing. */
export async function removeLeftover(
  { platform, logger }: Pick<OtaDependencies, "platform" | "logger">,
  path: string,
): Promise<boolean> {
  try {
    await platform.files.remove(path);
    return true;
  } catch (error) {
    logger.warn("a leftover of an installation cannot be removed", { path, error });
    return false;
  }
}

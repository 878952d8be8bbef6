import { type DownloadProgress, fetchPackage } from "../download/fetch-package.ts";
import { StepFailure } from "../errors.ts";
import { packageFile } from "./package-file.ts";
import type { StepContext } from "./step.ts";

export type { DownloadProgress };

/**
 * Fetches the job's package to disk, whole and synced under its final name, and resolves to its size in bytes.
 * Trouble that may pass is waited out; what an interrupted download has brought is used by the next one.
 *
 * @throws StepFailure when the package cannot be had; the signal's reason when aborted
 */
export async function downloadPackage(context: StepContext, onProgress: DownloadProgress): Promise<number> {
  const { deps, job, signal } = context;
  if (job.source.kind !== "content") throw new StepFailure("the job has no content to download");
  return await fetchPackage({
    content: deps.content,
    files: deps.platform.files,
    clock: deps.clock,
    random: deps.random,
    logger: deps.logger.child({ app: job.app }),
    limits: deps.limits,
    contentId: job.source.id,
    file: packageFile(context),
    signal,
    onProgress,
  });
}

import { type DownloadProgress, fetchPackage } from "../download/fetch-package.ts";
import { StepFailure } from "../errors.ts";
import { wantedDigest } from "../verification/meta-digest.ts";
import { packageFile } from "./package-file.ts";
import type { StepContext } from "./step.ts";

export type { DownloadProgress };

export interface DownloadedPackage {
  readonly sizeBytes: number;
  /** What the package must have, by the command or by the content's meta; null when neither names one. */
  readonly sha256: string | null;
}

/** As downloaded, and what its bytes came to on their way to the disk. */
export interface ReceivedPackage {
  readonly wanted: DownloadedPackage;
  readonly receivedSha256: string;
}

/**
 * Fetches the job's package to disk, whole and synced under its final name, and resolves to what it must be and is.
 * Trouble that may pass is waited out; what an interrupted download has brought is used by the next one.
 *
 * @throws StepFailure when the package cannot be had; the signal's reason when aborted
 */
export async function downloadPackage(
  context: StepContext,
  onProgress: DownloadProgress,
): Promise<ReceivedPackage> {
  const { deps, job, signal } = context;
  const { source } = job;
  if (source.kind !== "content") throw new StepFailure("the job has no content to download");
  let sha256 = source.sha256;
  let receivedSha256 = "";
  const sizeBytes = await fetchPackage({
    content: deps.content,
    files: deps.platform.files,
    clock: deps.clock,
    random: deps.random,
    logger: deps.logger.child({ app: job.app }),
    limits: deps.limits,
    contentId: source.id,
    file: packageFile(context),
    signal,
    onProgress,
    onInfo: ({ meta }) => {
      const wanted = wantedDigest(source.sha256, meta);
      if (wanted.kind === "refused") throw new StepFailure(wanted.reason);
      sha256 = wanted.sha256;
    },
    onWhole: (digest) => {
      receivedSha256 = digest;
    },
  });
  return { wanted: { sizeBytes, sha256 }, receivedSha256 };
}

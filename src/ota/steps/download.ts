import { describeError, GweError } from "../../core/errors.ts";
import { retryDelayMs } from "../../core/retry.ts";
import type { ContentInfo } from "../../device-client/index.ts";
import { StepFailure } from "../errors.ts";
import { judgeContentError } from "./content-errors.ts";
import { packageFile, partialFile } from "./package-file.ts";
import type { StepContext } from "./step.ts";

/** Bytes so far and in all, of the package being downloaded. */
export type DownloadProgress = (receivedBytes: number, totalBytes: number) => void;

/** The body ended before, or went on after, the size that Murano announced. */
class WrongSizeError extends GweError {
  readonly code = "OTA_WRONG_SIZE";
}

/**
 * Fetches the job's package to disk, whole and synced under its final name, and resolves to its size in bytes.
 * Trouble that may pass is waited out with backoff and jitter until the deadline.
 *
 * @throws StepFailure when the package cannot be had; the signal's reason when aborted
 */
export async function downloadPackage(context: StepContext, onProgress: DownloadProgress): Promise<number> {
  const { deps, job, signal } = context;
  const { clock, limits } = deps;
  if (job.source.kind !== "content") throw new StepFailure("the job has no content to download");
  const { id } = job.source;
  const startedAt = clock.monotonic();
  let wrongSizes = 0;
  for (let attempt = 1; ; attempt++) {
    let waitMs: number | undefined;
    let trouble: string;
    try {
      return await fetchOnce(context, id, onProgress);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof StepFailure) throw error;
      trouble = describeError(error);
      if (error instanceof WrongSizeError) {
        if (++wrongSizes > limits.wrongSizeRetries) throw new StepFailure(trouble, { cause: error });
      } else {
        waitMs = judgeContentError(error, id).waitMs;
      }
    }
    const delayMs = Math.max(waitMs ?? 0, retryDelayMs(limits.downloadRetry, attempt, deps.random));
    if (clock.monotonic() - startedAt + delayMs > limits.downloadDeadlineMs) {
      const hours = Math.round(limits.downloadDeadlineMs / 360_000) / 10;
      throw new StepFailure(`could not be downloaded within ${hours} hours; the last trouble: ${trouble}`);
    }
    deps.logger.info("download failed, trying again", { app: job.app, attempt, delayMs, trouble });
    await clock.sleep(delayMs, signal);
  }
}

async function fetchOnce(context: StepContext, id: string, onProgress: DownloadProgress): Promise<number> {
  const { deps, signal } = context;
  const info = await deps.content.contentInfo(id, { signal });
  await requireSpace(context, info);
  const download = await deps.content.download({ id, offset: 0 }, { signal });
  const file = packageFile(context);
  const { files } = deps.platform;
  const sink = await files.create(partialFile(file));
  let received = 0;
  try {
    for await (const chunk of download.body) {
      signal.throwIfAborted();
      received += chunk.length;
      // Stops here: an endless body must not fill the disk.
      if (received > info.sizeBytes) throw wrongSize(info, "more");
      await sink.write(chunk);
      onProgress(received, info.sizeBytes);
    }
    if (received !== info.sizeBytes) throw wrongSize(info, String(received));
  } catch (error) {
    await sink.abandon();
    await files.remove(partialFile(file));
    throw diskTrouble(error) ?? error;
  }
  await sink.finish();
  await files.move(partialFile(file), file);
  return received;
}

async function requireSpace({ deps }: StepContext, info: ContentInfo): Promise<void> {
  const { files } = deps.platform;
  files.ensureDirectory(deps.directories.packages);
  const available = (await files.freeBytes(deps.directories.packages)) - deps.limits.reserveBytes;
  if (info.sizeBytes > available) {
    throw new StepFailure(
      `not enough disk space: the package has ${info.sizeBytes} bytes, ${Math.max(0, available)} can be used`,
    );
  }
}

function wrongSize(info: ContentInfo, received: string): WrongSizeError {
  return new WrongSizeError(
    `the download has the wrong size: Murano announced ${info.sizeBytes} bytes and sent ${received}`,
  );
}

/** A disk that is full or broken does not mend by downloading again. */
function diskTrouble(error: unknown): StepFailure | undefined {
  const code = (error as NodeJS.ErrnoException).code;
  if (code !== "ENOSPC" && code !== "EDQUOT" && code !== "EROFS" && code !== "EIO") return undefined;
  return new StepFailure(`the package could not be written to disk (${code})`, { cause: error });
}

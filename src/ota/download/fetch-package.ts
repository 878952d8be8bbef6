import type { Clock, Random } from "../../core/clock.ts";
import { describeError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import type { ContentInfo, DeviceApi, Download } from "../../device-client/index.ts";
import type { DurableFiles } from "../../platform/durable-files.ts";
import { StepFailure } from "../errors.ts";
import type { OtaLimits } from "../limits.ts";
import { isOutsideContent, judgeContentError } from "./content-errors.ts";
import { ContradictionError, diskTrouble, TransferError } from "./errors.ts";
import { PartialFile } from "./partial-file.ts";
import { Patience } from "./patience.ts";
import { requireSpace } from "./require-space.ts";
import { TokenBucket } from "./token-bucket.ts";

/** Bytes so far and in all, of the package being downloaded. */
export type DownloadProgress = (receivedBytes: number, totalBytes: number) => void;

export interface FetchOptions {
  readonly content: Pick<DeviceApi, "contentInfo" | "download">;
  readonly files: DurableFiles;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly limits: OtaLimits;
  readonly contentId: string;
  /** Where the package is to lie. */
  readonly file: string;
  readonly signal: AbortSignal;
  readonly onProgress: DownloadProgress;
  /** Told whatever Murano says of the content, at last what holds for the whole package. A StepFailure ends it. */
  readonly onInfo?: (info: ContentInfo) => void;
  /** Told the SHA-256, in hex, of what came in, once all of it is on disk. */
  readonly onWhole?: (sha256: string) => void;
}

/** For as long, what Murano said of a content holds while its bytes keep coming, in however many pieces. */
const infoHoldsMs = 60_000;

/**
 * Fetches a content to disk, whole and synced under its name, and resolves to its size in bytes. Goes on with what
 * earlier attempts and earlier runs hold of the same upload. When this rejects, what is held stays for the next run,
 * unless the disk is at fault.
 *
 * @throws StepFailure when the package cannot be had; the signal's reason when aborted
 */
export async function fetchPackage(options: FetchOptions): Promise<number> {
  const run = new FetchRun(options);
  try {
    return await run.toEnd();
  } finally {
    await run.close();
  }
}

class FetchRun {
  readonly #options: FetchOptions;
  readonly #patience: Patience;
  readonly #bucket: TokenBucket | undefined;
  #partial: PartialFile | undefined;
  #info: { readonly value: ContentInfo; readonly askedAt: number } | undefined;
  #contradictions = 0;
  #contentChanges = 0;

  constructor(options: FetchOptions) {
    const { clock, limits } = options;
    const bytesPerSecond = limits.downloadBytesPerSecond;
    this.#options = options;
    this.#patience = new Patience(options);
    this.#bucket = bytesPerSecond > 0 ? new TokenBucket({ clock, bytesPerSecond }) : undefined;
  }

  async toEnd(): Promise<number> {
    const { clock, signal, files, file } = this.#options;
    try {
      for (;;) {
        try {
          const sizeBytes = await this.#step();
          if (sizeBytes !== undefined) return sizeBytes;
        } catch (error) {
          signal.throwIfAborted();
          const delayMs = this.#judge(error);
          await this.#partial?.checkpointIfDue(delayMs);
          await clock.sleep(delayMs, signal);
        }
      }
    } catch (error) {
      const trouble = diskTrouble(error);
      if (trouble === undefined) throw error;
      // At once: on a full disk the journal may need the room to note the failure.
      await PartialFile.discard(files, file);
      throw trouble;
    }
  }

  async close(): Promise<void> {
    const { signal, logger } = this.#options;
    try {
      if (signal.aborted) await this.#partial?.checkpoint();
    } catch (error) {
      logger.warn("what a download holds could not be saved", { error });
    } finally {
      await this.#partial?.close();
    }
  }

  /** Asks, and fetches what is missing. Resolves to the size once nothing is, by what Murano says after the last byte. */
  async #step(): Promise<number | undefined> {
    const { files, limits, file } = this.#options;
    const info = await this.#currentInfo();
    const partial = await this.#partialOf(info);
    const { heldBytes } = partial;
    const { sizeBytes } = info;
    if (heldBytes === sizeBytes) {
      await partial.finish();
      this.#options.onWhole?.(partial.sha256);
      return sizeBytes;
    }
    await requireSpace({ files, limits, whole: file, sizeBytes, heldBytes });
    try {
      await this.#transfer(info, partial);
    } finally {
      // A content that was replaced meanwhile would be a mixture: after the last byte Murano is asked again.
      if (partial.heldBytes === sizeBytes) this.#info = undefined;
    }
    return undefined;
  }

  async #currentInfo(): Promise<ContentInfo> {
    const { content, clock, contentId, signal, onInfo } = this.#options;
    const known = this.#info;
    if (known !== undefined && clock.monotonic() - known.askedAt < infoHoldsMs) return known.value;
    this.#info = undefined;
    const value = await content.contentInfo(contentId, { signal });
    onInfo?.(value);
    this.#info = { value, askedAt: clock.monotonic() };
    return value;
  }

  /** What is held of this very upload; what is held of an earlier one is dropped. */
  async #partialOf(info: ContentInfo): Promise<PartialFile> {
    const { files, clock, limits, logger, file, contentId, signal } = this.#options;
    const version = { id: contentId, sizeBytes: info.sizeBytes, updatedAt: info.updatedAt };
    if (this.#partial === undefined) {
      const checkpoint = limits.downloadCheckpoint;
      this.#partial = await PartialFile.open({ files, clock, checkpoint, whole: file, version, signal });
      const { heldBytes } = this.#partial;
      this.#patience.beginWith(heldBytes);
      if (heldBytes > 0) logger.info("download goes on", { content: contentId, heldBytes });
    } else if (!this.#partial.isOf(version)) {
      this.#contentChanges += 1;
      if (this.#contentChanges > limits.contentChanges) {
        throw new StepFailure(`the content was replaced ${this.#contentChanges} times during its download`);
      }
      logger.info("the content was replaced, download starts over", { content: contentId });
      await this.#partial.startOver(version);
      this.#patience.beginWith(0);
    }
    return this.#partial;
  }

  async #transfer(info: ContentInfo, partial: PartialFile): Promise<void> {
    const { content, limits, contentId: id, onProgress } = this.#options;
    // Ends the exchange also where its body is not read.
    const attempt = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, attempt.signal]);
    try {
      const offset = partial.heldBytes;
      const request = { id, offset, idleTimeoutMs: limits.downloadIdleMs };
      const download = await content.download(request, { signal });
      requireAnswerAbout(info, download);
      // The server does not know ranges: the whole comes again.
      if (download.offset !== offset) await partial.startOver({ ...info, id });
      for await (const chunk of download.body) {
        signal.throwIfAborted();
        // Stops here: an endless body must not fill the disk.
        if (partial.heldBytes + chunk.length > info.sizeBytes) throw wrongSize(info, "more");
        await partial.append(chunk);
        onProgress(partial.heldBytes, info.sizeBytes);
        await this.#bucket?.take(chunk.length, signal);
      }
    } catch (error) {
      if (!isOutsideContent(error)) throw error;
      await partial.startOver({ ...info, id });
      throw new ContradictionError("Murano does not have the content's rest, which it announced (416)", {
        cause: error,
      });
    } finally {
      attempt.abort();
    }
    if (partial.heldBytes < info.sizeBytes) {
      throw new TransferError(`the transfer ended after ${partial.heldBytes} of ${info.sizeBytes} bytes`);
    }
  }

  /** Milliseconds to wait before the next attempt. @throws what ends the download */
  #judge(error: unknown): number {
    const { limits, logger, contentId } = this.#options;
    if (error instanceof StepFailure || diskTrouble(error) !== undefined) throw error;
    const heldBytes = this.#partial?.heldBytes ?? 0;
    const hasProgressed = this.#patience.observe(heldBytes);
    if (hasProgressed) this.#contradictions = 0;
    else this.#info = undefined;
    let askedMs = 0;
    if (error instanceof ContradictionError) {
      this.#info = undefined;
      this.#contradictions += 1;
      if (this.#contradictions > limits.wrongSizeRetries) {
        throw new StepFailure(error.message, { cause: error });
      }
    } else if (!(error instanceof TransferError)) {
      askedMs = judgeContentError(error, contentId).waitMs ?? 0;
    }
    const trouble = describeError(error);
    const delayMs = Math.max(askedMs, this.#patience.delayMs(trouble));
    const level = hasProgressed ? "debug" : "info";
    logger[level]("download was cut, trying again", { content: contentId, heldBytes, delayMs, trouble });
    return delayMs;
  }
}

/** What does not fit touches nothing of what is held: it may be a captive portal's or a broken cache's. */
function requireAnswerAbout(info: ContentInfo, { totalBytes, contentType }: Download): void {
  const isPage = (type: string): boolean => /^\s*text\/html/i.test(type);
  if (isPage(contentType ?? "") && !isPage(info.contentType)) {
    throw new TransferError("a web page came in the package's place");
  }
  if (totalBytes !== undefined && totalBytes !== info.sizeBytes) throw wrongSize(info, String(totalBytes));
}

function wrongSize(info: ContentInfo, received: string): ContradictionError {
  return new ContradictionError(
    `the download has the wrong size: Murano announced ${info.sizeBytes} bytes and sent ${received}`,
  );
}

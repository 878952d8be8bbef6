import type { Clock, Random } from "../../core/clock.ts";
import { describeError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import type { DeviceApi } from "../../device-client/index.ts";
import { StepFailure } from "../errors.ts";
import type { OtaLimits } from "../limits.ts";
import { maxSignatureBytes } from "../verification/minisign-format.ts";
import { readSignatureFile } from "../verification/signature-file.ts";
import type { SignatureAnswer, SignatureSource } from "../verification/signature-source.ts";
import { judgeContentError, missingStatus } from "./content-errors.ts";
import { TransferError } from "./errors.ts";
import { Patience } from "./patience.ts";

export interface SignatureFetchOptions {
  readonly content: Pick<DeviceApi, "download">;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: OtaLimits;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Brings a package's signature. `none` only where it is certain that there is none (404, no such file); trouble that
 * may pass is waited out as a download's is.
 *
 * @throws StepFailure when it cannot be found out; the signal's reason when aborted
 */
export async function fetchSignature(
  source: SignatureSource,
  options: SignatureFetchOptions,
): Promise<SignatureAnswer> {
  switch (source.kind) {
    case "inline":
      return { kind: "found", bytes: Buffer.from(source.text) };
    case "file":
      return await readBeside(source.path);
    case "content":
      return await fetchContent(source.id, options);
  }
}

async function readBeside(path: string): Promise<SignatureAnswer> {
  try {
    return await readSignatureFile(path);
  } catch (error) {
    throw new StepFailure(`the signature ${path} cannot be read: ${describeError(error)}`, { cause: error });
  }
}

async function fetchContent(id: string, options: SignatureFetchOptions): Promise<SignatureAnswer> {
  const { clock, logger, signal } = options;
  const patience = new Patience(options);
  for (;;) {
    try {
      return { kind: "found", bytes: await transfer(id, options) };
    } catch (error) {
      signal.throwIfAborted();
      const status = missingStatus(error);
      if (status !== undefined) return { kind: "none", lookedFor: lookedFor(id, status) };
      patience.observe(0);
      const askedMs = error instanceof TransferError ? 0 : (judgeContentError(error, id).waitMs ?? 0);
      const trouble = describeError(error);
      const delayMs = Math.max(askedMs, inTime(patience, trouble));
      logger.info("a signature could not be fetched, trying again", { content: id, delayMs, trouble });
      await clock.sleep(delayMs, signal);
    }
  }
}

function inTime(patience: Patience, trouble: string): number {
  try {
    return patience.delayMs(trouble);
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    throw new StepFailure(`the signature ${error.message}`, { cause: error });
  }
}

/** The content's bytes, at most one more than a signature may have. */
async function transfer(id: string, { content, limits, signal }: SignatureFetchOptions): Promise<Buffer> {
  const attempt = new AbortController();
  try {
    const request = { id, idleTimeoutMs: limits.downloadIdleMs };
    const exchange = { signal: AbortSignal.any([signal, attempt.signal]) };
    const { body, contentType, totalBytes } = await content.download(request, exchange);
    if (/^\s*text\/html/i.test(contentType ?? "")) {
      throw new TransferError("a web page came in the signature's place");
    }
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of body) {
      signal.throwIfAborted();
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxSignatureBytes) return Buffer.concat(chunks).subarray(0, maxSignatureBytes + 1);
    }
    if (totalBytes !== undefined && length !== totalBytes) {
      throw new TransferError(`the transfer ended after ${length} of ${totalBytes} bytes`);
    }
    return Buffer.concat(chunks);
  } finally {
    // Ends the exchange also where its body is not read to the end.
    attempt.abort();
  }
}

function lookedFor(id: string, status: 403 | 404): string {
  const content = JSON.stringify(id);
  return status === 404
    ? `no content ${content} for this product (404)`
    : `this gateway may not have the content ${content} (403)`;
}

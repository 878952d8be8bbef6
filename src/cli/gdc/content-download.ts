import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { digestInMeta } from "../../core/content-digest.ts";
import type { ContentInfo } from "../../device-client/index.ts";
import { durableFiles } from "../../platform/durable-files.ts";
import { formatBytes } from "../bytes.ts";
import { CommandError, UsageError } from "../errors.ts";
import { TransferProgress } from "../transfer-progress.ts";
import { type GdcCall, isJson, writeJson } from "./procedure.ts";

/**
 * Downloads a content into a file: what an interrupted run left is continued as long as the content is the same (its
 * size and time name the partial file), and the file has its name when it is whole and on disk.
 */
export async function download(call: GdcCall, words: readonly string[]): Promise<number> {
  const [id = "", target, ...more] = words;
  if (id === "" || more.length > 0) throw new UsageError("usage: gdc content <cik> download <id> [FILE|-]");
  if (target === "-") return toStdout(call, id);
  const file = resolve(target ?? basename(id));
  const info = await call.api.contentInfo(id);
  const partial = join(dirname(file), `.${basename(file)}.${info.updatedAt}-${info.sizeBytes}.partial`);
  await removeOlder(file, partial);
  await fetchRest(call, info, partial);
  const sha256 = await digestOf(partial);
  try {
    checkDigest(info, sha256);
  } catch (error) {
    await durableFiles.remove(partial);
    throw error;
  }
  await durableFiles.move(partial, file);
  if (isJson(call)) await writeJson(call, { id, file, sizeBytes: info.sizeBytes, sha256 });
  else await call.terminal.write(`${file}\n`);
  return 0;
}

/** Partial files of contents that were replaced since will not be continued. */
async function removeOlder(file: string, partial: string): Promise<void> {
  const folder = dirname(file);
  for (const name of await durableFiles.list(folder)) {
    const path = join(folder, name);
    const isPartial = name.startsWith(`.${basename(file)}.`) && /\.\d+-\d+\.partial$/.test(name);
    if (isPartial && path !== partial) await durableFiles.remove(path);
  }
}

async function fetchRest(call: GdcCall, info: ContentInfo, partial: string): Promise<void> {
  const { id, sizeBytes } = info;
  const file = await durableFiles.openGrowing(partial);
  const progress = transferOf(call, id);
  try {
    if (file.sizeBytes > sizeBytes) await file.truncate(0);
    if (file.sizeBytes > 0 && file.sizeBytes < sizeBytes) {
      call.terminal.note(`gdc: goes on at byte ${file.sizeBytes} of ${sizeBytes}`);
    }
    if (file.sizeBytes < sizeBytes) {
      const answer = await call.api.download({ id, offset: file.sizeBytes });
      if (answer.totalBytes !== undefined && answer.totalBytes !== sizeBytes) throw replaced(id);
      // A server may ignore the range: then all comes again.
      if (answer.offset !== file.sizeBytes) await file.truncate(answer.offset);
      for await (const chunk of answer.body) {
        if (file.sizeBytes + chunk.length > sizeBytes) throw replaced(id);
        await file.append(chunk);
        progress.show(file.sizeBytes, sizeBytes);
      }
    }
    if (file.sizeBytes !== sizeBytes) {
      throw new CommandError(
        `the download of ${id} ended after ${file.sizeBytes} of ${sizeBytes} bytes; the same call goes on`,
      );
    }
    await file.sync();
  } finally {
    progress.end();
    await file.close();
  }
}

function transferOf({ terminal }: GdcCall, id: string): TransferProgress {
  return new TransferProgress({ terminal, what: id, format: formatBytes, nowMs: () => performance.now() });
}

function replaced(id: string): CommandError {
  return new CommandError(`${id} was replaced during the download: call again`);
}

async function toStdout(call: GdcCall, id: string): Promise<number> {
  if (isJson(call)) throw new UsageError("--json and the content itself cannot both go to stdout");
  const { body, totalBytes } = await call.api.download({ id });
  const progress = transferOf(call, id);
  let doneBytes = 0;
  for await (const chunk of body) {
    await call.terminal.write(chunk);
    doneBytes += chunk.length;
    progress.show(doneBytes, totalBytes);
  }
  progress.end();
  return 0;
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** A content whose meta gives its digest (docs/signing.md) is held to it. */
function checkDigest({ id, meta }: ContentInfo, sha256: string): void {
  const wanted = digestInMeta(meta);
  if (wanted.kind === "faulty") throw new CommandError(`${id} is refused: ${wanted.reason}`);
  if (wanted.kind === "digest" && wanted.sha256 !== sha256) {
    throw new CommandError(`${id} is damaged: its SHA-256 is ${sha256}, its meta says ${wanted.sha256}`);
  }
}

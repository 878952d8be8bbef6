import { createReadStream } from "node:fs";
import { join } from "node:path";
import { createGunzip } from "node:zlib";
import { Parser, type ReadEntry } from "tar";
import { PackageRefusedError } from "./errors.ts";
import { findRoot, inspectDirectory } from "./inspect.ts";
import { refused } from "./member-tree.ts";
import type { UnpackedPackage, UnpackRequest } from "./protocol.ts";
import { readBack } from "./read-back.ts";
import type { SyncSystem } from "./sync-tree.ts";
import { TreeWriter } from "./tree-writer.ts";

/** Headers and padding that an archive may hold beside its files' content: a bomb of headers ends here. */
const maxHeaderBytes = 512 * 1024 * 1024;

/** Zeros behind the end of an archive: tar programs fill up their last record, of 10 KiB and seldom more. */
const maxPaddingBytes = 1024 * 1024;

/** The parser would unpack these a second time: an archive inside the archive. */
const compressedMagics = [Buffer.from([0x1f, 0x8b]), Buffer.from([0x28, 0xb5, 0x2f, 0xfd])];

/**
 * Unpacks a package below a directory of its own, everything fsynced and read back, and says what is in it. The directory is left
 * half-filled when this throws: its caller removes it.
 *
 * @throws PackageRefusedError when the package is at fault; ReadBackError when the disk is
 */
export async function unpackPackage(request: UnpackRequest, system: SyncSystem): Promise<UnpackedPackage> {
  const writer = new TreeWriter(request);
  writer.begin();
  const parser = createParser(writer);
  const maxStreamBytes = request.maxBytes + maxHeaderBytes;
  let streamBytes = 0;
  let beginsAsGzip = false;
  let hasEnded = false;
  let paddingBytes = 0;
  parser.on("eof", () => {
    hasEnded = true;
  });
  const source = createReadStream(request.file, { highWaterMark: 256 * 1024 });
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  source.once("data", (chunk) => {
    beginsAsGzip = chunk[0] === 0x1f && chunk[1] === 0x8b;
  });
  source.on("error", (error) => gunzip.destroy(error)).pipe(gunzip);
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      if (streamBytes === 0) refuseNested(chunk);
      streamBytes += chunk.length;
      if (streamBytes > maxStreamBytes) throw new PackageRefusedError("the package holds endless headers");
      if (!hasEnded) {
        parser.write(chunk);
        continue;
      }
      paddingBytes += chunk.length;
      const isPadding = paddingBytes <= maxPaddingBytes && chunk.every((byte) => byte === 0);
      if (!isPadding) throw new PackageRefusedError("the package goes on after the end of its archive");
    }
    parser.end();
  } catch (error) {
    throw explainGzip(error, beginsAsGzip) ?? error;
  } finally {
    source.destroy();
    gunzip.destroy();
  }
  writer.closeFile();
  if (streamBytes === 0) throw new PackageRefusedError("the package is empty");
  const root = findRoot(writer.tree);
  writer.tree.checkLinks(root);
  await writer.finish(system);
  await readBack(request.into, writer.tree, writer.written);
  return { root, files: writer.files, bytes: writer.bytes, ...inspectDirectory(join(request.into, root)) };
}

/** Everything happens inside `write`: members are written as they are parsed, and a refusal is thrown from there. */
function createParser(writer: TreeWriter): Parser {
  return new Parser({
    maxDecompressionRatio: Number.POSITIVE_INFINITY,
    onwarn: (code, message) => {
      if (code === "TAR_ENTRY_INFO") return;
      throw new PackageRefusedError(`not a whole tar archive: ${String(message)}`);
    },
    onReadEntry: (entry) => {
      writer.closeFile();
      unpackMember(writer, entry);
      entry.on("data", (chunk) => writer.write(chunk));
    },
  }).on("ignoredEntry", (entry: ReadEntry) => {
    if (!entry.meta) throw unsupported(entry);
    throw refused(entry.path, "has a header that is longer than any real one");
  });
}

function unpackMember(writer: TreeWriter, entry: ReadEntry): void {
  const { path, mode, mtime } = entry;
  // GNU tar's own form for sparse files in PAX archives: as a plain file it would come out garbled.
  if (/(^|\/)GNUSparseFile\.\d+\//.test(entry.header.path ?? path)) {
    throw refused(path, "is a sparse file: pack it without --sparse");
  }
  switch (entry.type) {
    case "File":
    case "OldFile":
    case "ContiguousFile":
      writer.openFile(path, entry.size, { mode, mtime });
      return;
    case "Directory":
      writer.directory(path, { mode, mtime });
      return;
    case "SymbolicLink":
      writer.symbolicLink(path, entry.linkpath ?? "");
      return;
    case "Link":
      writer.hardLink(path, entry.linkpath ?? "");
      return;
    default:
      throw unsupported(entry);
  }
}

function unsupported({ path, type }: ReadEntry): PackageRefusedError {
  return refused(path, `is of the type ${type}: only files, directories and links are unpacked`);
}

function refuseNested(chunk: Buffer): void {
  if (compressedMagics.some((magic) => chunk.subarray(0, magic.length).equals(magic))) {
    throw new PackageRefusedError("not a tar archive inside the gzip file: it is compressed twice");
  }
}

function explainGzip(error: unknown, beginsAsGzip: boolean): PackageRefusedError | undefined {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "Z_BUF_ERROR") return new PackageRefusedError("the package is truncated", { cause: error });
  if (code !== "Z_DATA_ERROR") return undefined;
  const isHeader = (error as Error).message === "incorrect header check";
  if (isHeader && !beginsAsGzip) {
    return new PackageRefusedError("the package is not a gzip file", { cause: error });
  }
  return isHeader
    ? new PackageRefusedError("the package goes on after the end of its gzip data", { cause: error })
    : new PackageRefusedError("the package is corrupt: its gzip data is damaged", { cause: error });
}

import { createHash } from "node:crypto";
import { closeSync, constants, lstatSync, openSync, read, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describeError } from "../../core/errors.ts";
import { ReadBackError } from "./errors.ts";
import type { Member, MemberTree } from "./member-tree.ts";

/** A regular file as the archive has it. Names of one hard-linked file share one. */
export interface WrittenFile {
  readonly mode: number;
  readonly sizeBytes: number;
  /** SHA-256 of what came out of the archive, raw bytes a character each: there may be many. */
  readonly digest: string;
}

const readAt = promisify(read);
const readsAtOnce = 8;
/** A multiple of any block size, and of the 64 KiB in which memory of WebAssembly comes. */
const bufferBytes = 256 * 1024;

/**
 * Compares what is on disk with the archive's members: every name, and none beside them; types, modes, targets of
 * links, sizes and digests. Contents come from the medium (O_DIRECT) where the file system can do that, and not from
 * the kernel's copy of what was just written; everything must have been synced.
 *
 * @throws ReadBackError at the first difference
 */
export async function readBack(
  root: string,
  tree: MemberTree,
  files: ReadonlyMap<string, WrittenFile>,
): Promise<void> {
  const todo = tree.entries();
  const children = childrenOf(tree);
  const failures: ReadBackError[] = [];
  const lane = async (buffer: Buffer): Promise<void> => {
    for (let next = todo.next(); !next.done && failures.length === 0; next = todo.next()) {
      const [path, member] = next.value;
      try {
        await compare(
          join(root, path),
          member,
          { file: files.get(path), children: children.get(path) },
          buffer,
        );
      } catch (cause) {
        const message = `${JSON.stringify(path)} is not on disk as it was written: ${describeError(cause)}`;
        failures.push(new ReadBackError(message, { cause }));
      }
    }
  };
  // Until all have let go of their files: the caller may remove them.
  await Promise.all(alignedBuffers(readsAtOnce).map(lane));
  const [first] = failures;
  if (first !== undefined) throw first;
}

/** Node's types leave it out. */
interface WithWebAssembly {
  readonly WebAssembly: {
    readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  };
}

/** Direct reads need memory that begins at a block's border, which Node promises nowhere else. */
function alignedBuffers(count: number): readonly Buffer[] {
  const pages = (count * bufferBytes) / 65_536;
  const { buffer } = new (globalThis as unknown as WithWebAssembly).WebAssembly.Memory({
    initial: pages,
    maximum: pages,
  });
  return Array.from({ length: count }, (_, index) => Buffer.from(buffer, index * bufferBytes, bufferBytes));
}

/** Directory → the names that belong in it. */
function childrenOf(tree: MemberTree): ReadonlyMap<string, ReadonlySet<string>> {
  const children = new Map<string, Set<string>>();
  for (const [path, { kind }] of tree.entries()) {
    if (kind === "directory" && !children.has(path)) children.set(path, new Set());
    if (path === "") continue;
    const slash = path.lastIndexOf("/");
    const parent = slash < 0 ? "" : path.slice(0, slash);
    const names = children.get(parent) ?? new Set();
    children.set(parent, names.add(path.slice(slash + 1)));
  }
  return children;
}

interface Expected {
  readonly file: WrittenFile | undefined;
  readonly children: ReadonlySet<string> | undefined;
}

async function compare(
  path: string,
  member: Member,
  { file, children }: Expected,
  buffer: Buffer,
): Promise<void> {
  switch (member.kind) {
    case "link":
      same("it leads to", readlinkSync(path), member.target);
      return;
    case "directory": {
      const stats = lstatSync(path);
      if (!stats.isDirectory()) throw new ReadBackError("it is no directory");
      same("its mode is", modeText(stats.mode), modeText(member.mode));
      const names = readdirSync(path);
      const stranger = names.find((name) => children?.has(name) !== true);
      if (stranger !== undefined) throw new ReadBackError(`it holds ${JSON.stringify(stranger)}`);
      same("its entries are", names.length, children?.size);
      return;
    }
    case "file": {
      const stats = lstatSync(path);
      if (!stats.isFile()) throw new ReadBackError("it is no file");
      same("its mode is", modeText(stats.mode), file && modeText(file.mode));
      same("its size is", stats.size, file?.sizeBytes);
      if ((await digestOnMedium(path, stats.size, buffer)) !== file?.digest) {
        throw new ReadBackError("its content is another");
      }
      return;
    }
  }
}

async function digestOnMedium(path: string, sizeBytes: number, buffer: Buffer): Promise<string> {
  try {
    return await digestOf(path, constants.O_DIRECT, sizeBytes, buffer);
  } catch (error) {
    // Not every file system can do it, and some say so only when read.
    if ((error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
    return digestOf(path, 0, sizeBytes, buffer);
  }
}

async function digestOf(path: string, flag: number, sizeBytes: number, buffer: Buffer): Promise<string> {
  const hash = createHash("sha256");
  // Of small files there may be many, and only the medium is worth leaving this thread for.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | flag);
  try {
    for (let done = 0; done < sizeBytes; ) {
      const { bytesRead } = await readAt(fd, buffer, 0, buffer.length, done);
      if (bytesRead === 0) throw new ReadBackError(`it ends after ${done} of ${sizeBytes} bytes`);
      hash.update(buffer.subarray(0, bytesRead));
      done += bytesRead;
    }
  } finally {
    closeSync(fd);
  }
  return hash.digest("binary");
}

function same(what: string, actual: string | number, expected: string | number | undefined): void {
  if (actual !== expected) throw new ReadBackError(`${what} ${actual} instead of ${expected}`);
}

function modeText(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

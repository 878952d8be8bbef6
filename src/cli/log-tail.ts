import { type FileHandle, open } from "node:fs/promises";
import { CommandError } from "./errors.ts";

type Write = (data: Uint8Array) => Promise<void>;

const blockBytes = 64 * 1024;

/**
 * Writes the last `lines` lines of a file, byte for byte, in bounded memory.
 * @returns false when there is no such file
 */
export async function showTail(file: string, lines: number, write: Write): Promise<boolean> {
  const handle = await openLog(file);
  if (handle === undefined) return false;
  try {
    const { size } = await handle.stat();
    await copy(handle, await startOfLastLines(handle, size, lines), size, write);
    return true;
  } finally {
    await handle.close();
  }
}

/**
 * Writes the last `bytes` bytes of a file, in bounded memory.
 * @returns false when there is no such file
 */
export async function showEnd(file: string, bytes: number, write: Write): Promise<boolean> {
  const handle = await openLog(file);
  if (handle === undefined) return false;
  try {
    const { size } = await handle.stat();
    await copy(handle, Math.max(0, size - bytes), size, write);
    return true;
  } finally {
    await handle.close();
  }
}

export interface FollowOptions {
  readonly file: string;
  /** How much of what there is is shown to begin with: so many of the last lines, or bytes. */
  readonly begin: { readonly lines: number } | { readonly bytes: number };
  readonly write: Write;
  /** Between two looks at the file; following ends when it rejects. */
  readonly wait: () => Promise<void>;
}

/**
 * Writes the last lines and then what is appended to a log, over rotation (another file takes the name) and
 * truncation. The rest of a rotated file is shown before the new one is begun. A file that is not there yet is
 * waited for. Goes on until `wait` rejects.
 */
export async function followLog({ file, begin, write, wait }: FollowOptions): Promise<never> {
  let handle = await openLog(file);
  const begun = await handle?.stat();
  let inode = begun?.ino;
  let offset = handle && begun ? await startOf(handle, begun.size, begin) : 0;
  try {
    for (;;) {
      if (handle !== undefined) {
        const { size } = await handle.stat();
        if (size < offset) offset = 0;
        offset = await copy(handle, offset, size, write);
      }
      const next = await openLog(file);
      const nextInode = next && (await next.stat()).ino;
      if (next === undefined || nextInode === inode) {
        await next?.close();
        await wait();
        continue;
      }
      // Renamed away between the last look and now: what came in between is still in the old file.
      if (handle !== undefined) await copy(handle, offset, (await handle.stat()).size, write);
      await handle?.close();
      [handle, inode, offset] = [next, nextInode, 0];
    }
  } finally {
    await handle?.close();
  }
}

async function openLog(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, "r");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new CommandError(`cannot read ${file} (${code})`, { cause: error });
  }
}

async function startOf(handle: FileHandle, size: number, begin: FollowOptions["begin"]): Promise<number> {
  return "lines" in begin ? startOfLastLines(handle, size, begin.lines) : Math.max(0, size - begin.bytes);
}

/** Offset of the first of the last `lines` lines, found by reading backwards. */
async function startOfLastLines(handle: FileHandle, size: number, lines: number): Promise<number> {
  if (lines === 0) return size;
  const block = Buffer.alloc(blockBytes);
  let missing = lines;
  // The line feed that ends the file ends its last line; it does not begin another.
  let end = size - 1;
  while (end > 0) {
    const start = Math.max(0, end - blockBytes);
    const { bytesRead } = await handle.read(block, 0, end - start, start);
    for (let at = bytesRead - 1; at >= 0; at--) {
      if (block[at] === 0x0a && --missing === 0) return start + at + 1;
    }
    end = start;
  }
  return 0;
}

/** Copies the bytes from `start` up to `end`; returns how far it came. */
async function copy(handle: FileHandle, start: number, end: number, write: Write): Promise<number> {
  let offset = start;
  while (offset < end) {
    const block = Buffer.alloc(Math.min(blockBytes, end - offset));
    const { bytesRead } = await handle.read(block, 0, block.length, offset);
    if (bytesRead === 0) break;
    await write(block.subarray(0, bytesRead));
    offset += bytesRead;
  }
  return offset;
}

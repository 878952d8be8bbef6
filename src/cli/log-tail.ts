import type { FileHandle } from "node:fs/promises";
import { closeAll, filesOfLog, type OpenLog, openLog } from "./rotated-log.ts";

type Write = (data: Uint8Array) => Promise<void>;

const blockBytes = 64 * 1024;

/**
 * Writes the last `lines` lines of a log, byte for byte, in bounded memory; from before its last rotations too where
 * the file itself has fewer.
 * @returns false when there is no such file
 */
export async function showTail(file: string, lines: number, write: Write): Promise<boolean> {
  const tail = await openTail(file, lines);
  try {
    for (const { log, from, size } of tail) await copy(log.handle, from, size, write);
    return tail.length > 0;
  } finally {
    await closeAll(tail.map(({ log }) => log));
  }
}

/**
 * Writes the last `bytes` bytes of a file, in bounded memory.
 * @returns false when there is no such file
 */
export async function showEnd(file: string, bytes: number, write: Write): Promise<boolean> {
  const [end] = await openEnd(file, bytes);
  if (end === undefined) return false;
  try {
    await copy(end.log.handle, end.from, end.size, write);
    return true;
  } finally {
    await end.log.handle.close();
  }
}

export interface FollowOptions {
  readonly file: string;
  /** How much of what there is is shown to begin with: so many of the last lines, or bytes. */
  readonly begin: { readonly lines: number } | { readonly bytes: number };
  readonly write: Write;
  /** Between two looks at the file; following ends when it rejects. */
  readonly wait: () => Promise<void>;
  /** So much was written that a file was dropped before it could be shown. */
  readonly onGap: () => void;
}

/**
 * Writes the last lines and then what is appended to a log, over rotations and truncation, each line once: what is left
 * of the file, then those that came after it, in their order. A file that is not there yet is waited for. Goes on until
 * `wait` rejects.
 */
export async function followLog({ file, begin, write, wait, onGap }: FollowOptions): Promise<never> {
  const tail = "lines" in begin ? await openTail(file, begin.lines) : await openEnd(file, begin.bytes);
  let current = tail.at(-1)?.log;
  let offset = 0;
  try {
    for (const { log, from, size } of tail) {
      offset = await copy(log.handle, from, size, write);
      if (log !== current) await log.handle.close();
    }
    for (;;) {
      if (current !== undefined) {
        const { size } = await current.handle.stat();
        if (size < offset) offset = 0;
        offset = await copy(current.handle, offset, size, write);
      }
      const { newer, isWhole } = await filesSince(file, current);
      if (newer.length === 0) {
        await wait();
        continue;
      }
      // Renamed between the last look and now: what came in between is still in it.
      if (current !== undefined)
        await copy(current.handle, offset, (await current.handle.stat()).size, write);
      if (!isWhole && newer.length > 1) onGap();
      await current?.handle.close();
      [current, offset] = [newer.at(-1), 0];
      for (const log of newer.slice(0, -1)) {
        await copy(log.handle, 0, (await log.handle.stat()).size, write);
        await log.handle.close();
      }
    }
  } finally {
    await current?.handle.close();
  }
}

/** How often files are looked through again when they moved too fast to be found. */
const mostLooks = 5;

/**
 * Files that came after this one, the oldest first; all there are where there was none. Where this one is gone, by many
 * rotations or by somebody's hand, those that were written to since it was; they may not be all.
 */
async function filesSince(
  file: string,
  current: OpenLog | undefined,
): Promise<{ readonly newer: readonly OpenLog[]; readonly isWhole: boolean }> {
  const newest = await openLog(file);
  await newest?.handle.close();
  if (newest === undefined || newest.inode === current?.inode) return { newer: [], isWhole: true };
  for (let look = 1; ; look++) {
    const { mtimeMs = 0, nlink = 0 } = (await current?.handle.stat()) ?? {};
    let isFound = current === undefined;
    const logs = await filesOfLog(file, async ({ inode, handle }) => {
      isFound ||= inode === current?.inode;
      return inode === current?.inode || (await handle.stat()).mtimeMs < mtimeMs;
    });
    // As long as it has a name, it is there, or was taken out of the rotation.
    if (isFound || nlink === 0 || look === mostLooks) return { newer: logs.toReversed(), isWhole: isFound };
    await closeAll(logs);
  }
}

interface TailPart {
  readonly log: OpenLog;
  readonly from: number;
  readonly size: number;
}

/** The last bytes of the newest file. */
async function openEnd(file: string, bytes: number): Promise<readonly TailPart[]> {
  const log = await openLog(file);
  if (log === undefined) return [];
  const { size } = await log.handle.stat();
  return [{ log, from: Math.max(0, size - bytes), size }];
}

/** Where the last lines are, the oldest file first. */
async function openTail(file: string, lines: number): Promise<readonly TailPart[]> {
  const logs = await filesOfLog(file);
  const parts: TailPart[] = [];
  let missing = lines;
  for (const log of logs) {
    if (parts.length > 0 && missing <= 0) {
      await log.handle.close();
      continue;
    }
    const { size } = await log.handle.stat();
    const { offset, found } = await lastLines(log.handle, size, missing);
    parts.unshift({ log, from: offset, size });
    missing -= found;
  }
  return parts;
}

/** Offset of the first of the last `lines` lines, found by reading backwards, and how many there are of them. */
async function lastLines(
  handle: FileHandle,
  size: number,
  lines: number,
): Promise<{ readonly offset: number; readonly found: number }> {
  if (lines === 0 || size === 0) return { offset: size, found: 0 };
  const block = Buffer.alloc(blockBytes);
  let found = 0;
  // The line feed that ends the file ends its last line; it does not begin another.
  let end = size - 1;
  while (end > 0) {
    const start = Math.max(0, end - blockBytes);
    const { bytesRead } = await handle.read(block, 0, end - start, start);
    for (let at = bytesRead - 1; at >= 0; at--) {
      if (block[at] === 0x0a && ++found === lines) return { offset: start + at + 1, found };
    }
    end = start;
  }
  return { offset: 0, found: found + 1 };
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

import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";

const blockBytes = 4096;
const chunkBlocks = 64;

/** Copies a file from a disk that may be failing: what cannot be read becomes zeros, block by block. */
export function copyReadable(from: string, to: string): void {
  const source = openSync(from, "r");
  try {
    const target = openSync(to, "w", 0o600);
    try {
      const { size } = fstatSync(source);
      for (let at = 0; at < size; at += blockBytes * chunkBlocks) {
        copyChunk(source, target, at, Math.min(blockBytes * chunkBlocks, size - at));
      }
    } finally {
      closeSync(target);
    }
  } finally {
    closeSync(source);
  }
}

function copyChunk(source: number, target: number, at: number, length: number): void {
  const buffer = Buffer.alloc(length);
  try {
    readSync(source, buffer, 0, length, at);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EIO") throw error;
    if (length > blockBytes) {
      for (let offset = 0; offset < length; offset += blockBytes) {
        copyChunk(source, target, at + offset, Math.min(blockBytes, length - offset));
      }
      return;
    }
  }
  writeSync(target, buffer, 0, length, at);
}

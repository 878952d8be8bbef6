import { statfsSync } from "node:fs";
import { statfs } from "node:fs/promises";

/** Bytes that this process may still write to the file system holding `path`. */
export async function freeBytes(path: string): Promise<number> {
  const stats = await statfs(path);
  return stats.bavail * stats.bsize;
}

/** The same at once, and how large that file system is. @throws what the system says */
export function spaceAt(path: string): { readonly freeBytes: number; readonly sizeBytes: number } {
  const { bavail, blocks, bsize } = statfsSync(path);
  return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
}

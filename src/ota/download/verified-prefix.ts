import type { GrowingFile } from "../../platform/growing-file.ts";
import { ChunkDigests } from "./chunk-digests.ts";
import type { PartialState } from "./partial-state.ts";

const pieceBytes = 256 * 1024;

/**
 * Reads again what a side file says is held, and answers the digests of the leading chunks that are so: none of what
 * comes after a damaged, missing or unreadable chunk is counted.
 */
export async function verifiedPrefix(
  file: GrowingFile,
  claim: PartialState,
  signal: AbortSignal,
): Promise<ChunkDigests> {
  const piece = Buffer.allocUnsafe(pieceBytes);
  let good = new ChunkDigests(claim.chunkBytes);
  for (const expected of claim.digests) {
    const next = good.fork();
    const end = Math.min(good.bytes + claim.chunkBytes, claim.heldBytes);
    if (end > file.sizeBytes) break;
    while (next.bytes < end) {
      signal.throwIfAborted();
      const part = piece.subarray(0, Math.min(pieceBytes, end - next.bytes));
      const bytes = await readable(file.read(part, next.bytes));
      if (bytes < part.length) return good;
      next.update(part);
    }
    if (next.list().at(-1) !== expected) break;
    good = next;
  }
  return good;
}

/** A sector that cannot be read any more is damage like any other: 0 bytes. */
async function readable(read: Promise<number>): Promise<number> {
  try {
    return await read;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EIO") return 0;
    throw error;
  }
}

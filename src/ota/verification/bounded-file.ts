import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { GweError } from "../../core/errors.ts";

/** A file that is none: a directory, a device, a FIFO. */
class NotAFileError extends GweError {
  readonly code = "OTA_NOT_A_FILE";
}

export interface SmallFile {
  /** At most one byte more than was asked for, which shows that there is more. */
  readonly bytes: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
}

/**
 * Reads the beginning of a file, never waiting for a FIFO's writer.
 * @throws NotAFileError; the operating system's error (`code` ENOENT, EACCES …)
 */
export async function readSmallFile(path: string, maxBytes: number): Promise<SmallFile> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new NotAFileError("not a regular file", { context: { path } });
    const buffer = Buffer.alloc(maxBytes + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return { bytes: buffer.subarray(0, length), mode: stats.mode & 0o7777 };
  } finally {
    await handle.close();
  }
}

/** Whether an error says that there is nothing of that name. */
export function isNotFound(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === "ENOENT";
}

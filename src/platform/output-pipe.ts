import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";

/** One pipe for both of a child's output streams. */
export interface OutputPipe {
  /** The child's stdout and stderr; to be closed here once the child is spawned. */
  readonly fd: number;
  readonly output: Readable;
}

/**
 * Opens a true pipe, which Node's own `stdio: "pipe"` is not: that is a socket for each stream, of which
 * `echo >/dev/stderr` cannot open another end, and two of which lose the order of what is written. Undefined where
 * none can be had (no mkfifo, no place for a temporary file): a child then makes do with sockets.
 */
export function openOutputPipe(): OutputPipe | undefined {
  let directory: string | undefined;
  try {
    directory = mkdtempSync(join(tmpdir(), "gwe-pipe-"));
    const path = join(directory, "output");
    execFileSync("mkfifo", ["-m", "600", path], { stdio: "ignore", timeout: 5_000 });
    // Not waiting for a writer, and there before it, so that neither end's opening blocks.
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const fd = openSync(path, constants.O_WRONLY);
      const output = new Socket({ fd: reader, readable: true, writable: false });
      // Whatever breaks it closes it too, and that is what its reader waits for.
      output.on("error", () => undefined);
      return { fd, output };
    } catch (error) {
      closeSync(reader);
      throw error;
    }
  } catch {
    return undefined;
  } finally {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  }
}

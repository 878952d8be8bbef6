import { execFileSync } from "node:child_process";
import { closeSync, constants, lstatSync, mkdtempSync, openSync, readdirSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { processStartTicks } from "./process-table.ts";

/** One pipe for both of a child's output streams. */
export interface OutputPipe {
  /** The child's stdout and stderr; to be closed here once the child is spawned. */
  readonly fd: number;
  readonly output: Readable;
}

const prefix = "gwe-pipe-";

/**
 * Opens a true pipe, which Node's own `stdio: "pipe"` is not: that is a socket for each stream, of which
 * `echo >/dev/stderr` cannot open another end, and two of which lose the order of what is written. Undefined where
 * none can be had (no mkfifo, no place for a temporary file): a child then makes do with sockets.
 */
export function openOutputPipe(): OutputPipe | undefined {
  let directory: string | undefined;
  try {
    removeLeftovers();
    directory = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
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

/** Of processes of ours that were killed while they made a pipe. */
function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const maker = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN;
    if (Number.isNaN(maker) || processStartTicks(maker) !== undefined) continue;
    const path = join(tmpdir(), name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats?.isDirectory() === true && stats.uid === process.getuid?.()) {
      rmSync(path, { recursive: true, force: true });
    }
  }
}

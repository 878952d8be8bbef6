/**
 * `npm run test:rotations [-- --n N]`: an app that writes numbered lines at 20 MB/s through N rotations (1,000 by
 * default), while the log daemon is restarted ten times.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runRotations } from "../support/rotation-run.ts";

const { values } = parseArgs({ options: { n: { type: "string", default: "1000" } } });
const rotations = Number(values.n);
const directory = mkdtempSync(join(tmpdir(), "gwe-rotations-"));
try {
  const { lines, bytes, files, seconds } = await runRotations({
    directory,
    rotations,
    maxBytes: 200 * 1024,
    // Starts and restarts included, that makes 20 MB/s of it.
    bytesPerSecond: 22e6,
    restarts: 10,
  });
  if (files <= rotations) throw new Error(`only ${files - 1} rotations`);
  const rate = (bytes / 1e6 / seconds).toFixed(1);
  console.log(
    `${lines} lines (${(bytes / 1e6).toFixed(0)} MB at ${rate} MB/s) in ${files} files: all, in order, once`,
  );
} finally {
  rmSync(directory, { recursive: true, force: true });
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { LogDaemonProcess } from "./log-daemon.ts";
import { NumberedLinesCheck } from "./numbered-lines.ts";
import { bundleProgram } from "./program-bundle.ts";

const writer = join(import.meta.dirname, "numbered-writer.ts");
const entry = bundleProgram("test/support/log-daemon-child.ts");

export interface RotationRunOptions {
  /** Empty; removed by the caller. */
  readonly directory: string;
  readonly rotations: number;
  readonly maxBytes: number;
  readonly bytesPerSecond: number;
  /** How often the log daemon is ended by SIGTERM, and another started a moment later. */
  readonly restarts: number;
}

export interface RotationRunResult {
  readonly lines: number;
  readonly bytes: number;
  readonly files: number;
  readonly seconds: number;
}

/**
 * An app writes numbered lines while its log is rotated and the log daemon comes and goes; resolves when each line was
 * found in a file that was dropped or kept, in order, once, and each file held whole lines.
 *
 * @throws at the first line that is not as it should be
 */
export async function runRotations(options: RotationRunOptions): Promise<RotationRunResult> {
  const { directory, rotations, maxBytes, bytesPerSecond, restarts } = options;
  await using logd = new LogDaemonProcess({ directory, entry });
  const fd = await logd.add("app", { maxBytes, backups: 1 });
  logd.start();
  await logd.flush();
  const bytes = rotations * (maxBytes + 350);
  const began = performance.now();
  const app = spawn(process.execPath, [writer, String(bytes), String(bytesPerSecond)], {
    stdio: ["ignore", fd, "inherit"],
  });
  let running = true;
  const ended = once(app, "exit").then(() => {
    running = false;
  });
  const check = new FilesCheck();
  const dropped = join(logd.logDir, "dropped");
  for (let restart = 1; running || restart <= restarts; ) {
    const isTime = performance.now() - began >= ((bytes / bytesPerSecond) * 1000 * restart) / (restarts + 1);
    if (restart <= restarts && isTime) {
      await logd.end("SIGTERM");
      logd.start();
      restart += 1;
    }
    check.takeAll(dropped);
    await delay(10);
  }
  await ended;
  await logd.flush();
  const seconds = (performance.now() - began) / 1000;
  check.takeAll(dropped);
  for (const text of [logd.log("app", 1), logd.log("app")]) check.take(text);
  return { lines: check.lines, bytes: check.bytes, files: check.files, seconds };
}

/** Takes a log's files in the order of their age. */
class FilesCheck {
  bytes = 0;
  files = 0;
  private readonly check = new NumberedLinesCheck();

  get lines(): number {
    return this.check.next;
  }

  take(text: string): void {
    this.check.push(text);
    if (!this.check.isAtLineEnd) throw new Error(`a file ends in the middle of line ${this.check.next}`);
    this.bytes += text.length;
    this.files += 1;
  }

  takeAll(directory: string): void {
    for (const name of readdirSync(directory).sort()) {
      this.take(readFileSync(join(directory, name), "latin1"));
      rmSync(join(directory, name));
    }
  }
}

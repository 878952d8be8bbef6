/**
 * `npm run test:fuzz [-- --n N --seed S]`: unpacks N mutated packages, those of the seeds S, S+1, …, in processes with the
 * worker's bound of memory. Whatever a package is, it is unpacked inside its directory or refused.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { defaultOtaLimits } from "../../src/ota/index.ts";
import { baseArchives, mutatedPackage } from "../support/fuzz/archives.ts";
import { unpackSafely } from "../support/fuzz/unpack-case.ts";

const { values } = parseArgs({
  options: {
    n: { type: "string", default: "20000" },
    seed: { type: "string", default: "1" },
    /** Set by the command itself for the processes that do the work. */
    part: { type: "boolean", default: false },
  },
});
const first = Number(values.seed);
const count = Number(values.n);
const partSize = 2_500;
/** Where there is one, a file system in memory: how long a disk takes to sync is not the question. */
const memory = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

if (values.part) await workOff();
else await share();

/** In this process: prints one line of JSON at its end. */
async function workOff(): Promise<void> {
  const bases = baseArchives();
  const directory = mkdtempSync(join(memory, "gwe-fuzz-"));
  const counts = { unpacked: 0, refused: 0 };
  try {
    for (let seed = first; seed < first + count; seed++) {
      const { content, how } = mutatedPackage(seed, bases);
      try {
        counts[await unpackSafely(directory, content)] += 1;
      } catch (error) {
        const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
        console.error(
          `seed ${seed} (${how.join(", ")}): ${told.replace(/(.)\1{50,}/g, "$1…").slice(0, 3_000)}`,
        );
        process.exitCode = 1;
        return;
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  const peakKb = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1] ?? 0);
  console.log(JSON.stringify({ ...counts, peakMb: (peakKb * 1024) / 1e6 }));
}

/** Parts, two at a time: what crashes takes only its part down, and its seeds are known. */
async function share(): Promise<void> {
  const startedMs = performance.now();
  const sum = { unpacked: 0, refused: 0, peakMb: 0 };
  let next = first;
  const lane = async (): Promise<void> => {
    while (next < first + count) {
      const seed = next;
      const n = Math.min(partSize, first + count - seed);
      next += n;
      const flags = [
        `--max-old-space-size=${defaultOtaLimits.workerHeapMib}`,
        import.meta.filename,
        "--part",
      ];
      const part = spawn(process.execPath, [...flags, "--n", String(n), "--seed", String(seed)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const ended = new Promise<number | NodeJS.Signals>((resolve) => {
        part.once("close", (status, signal) => resolve(signal ?? status ?? 0));
      });
      const line = await text(part.stdout);
      const end = await ended;
      if (end !== 0) {
        console.error(`VIOLATION: the seeds ${seed} to ${seed + n - 1} ended with ${end}`);
        process.exitCode = 1;
        continue;
      }
      const told = JSON.parse(line) as typeof sum;
      sum.unpacked += told.unpacked;
      sum.refused += told.refused;
      sum.peakMb = Math.max(sum.peakMb, told.peakMb);
    }
  };
  await Promise.all([lane(), lane()]);
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  console.log(
    `${sum.unpacked + sum.refused} mutated packages from seed ${first} in ${seconds} s: ${sum.unpacked} unpacked, ` +
      `${sum.refused} refused; at most ${sum.peakMb.toFixed(0)} MB resident`,
  );
}

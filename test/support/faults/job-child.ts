/**
 * A pipeline in a process of its own that takes one command, as from `engine_fetch`, and works until nothing is left to
 * do; begun again after a kill, it goes on. Argument: `JobChildOptions` as JSON. The last line that it prints is
 * `JobChildResult` as JSON.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { silentLogger } from "../../../src/core/logger.ts";
import { systemClock } from "../../../src/platform/system-clock.ts";
import { OtaHarness, quickProbation } from "../ota-harness.ts";

export interface JobChildOptions {
  readonly home: string;
  /** undefined: the command needs none. */
  readonly packageFile: string | undefined;
  readonly command: string;
  readonly fatal: readonly string[];
  /** Marks that `engine_fetch` is cleared: Murano's side, which outlives every kill. */
  readonly clearedMark: string;
  /** Each transition is written into it as a line that begins with `--`. */
  readonly traceFile: string | undefined;
  /** Runs the worker. */
  readonly nodeFile: string;
  /** Removed whenever the pipeline waits for better times: somebody makes room. */
  readonly ballastFile: string | undefined;
  /** The process ends with `outOfPatience` when it has waited that often. */
  readonly patience: number | undefined;
}

export interface JobChildResult {
  readonly reports: readonly { readonly name: string; readonly status: string; readonly output: string }[];
  /** Name and version of each registered app, with its directory. */
  readonly registered: readonly (readonly [string, string, string])[];
  readonly versions: readonly string[];
  readonly packages: readonly string[];
  readonly unended: number;
  /** How often the pipeline had to wait for its journal or its disk. */
  readonly stumbles: number;
}

/** Exit status: alive, and waiting for a disk that does not get better. */
const outOfPatience = 75;

const options = JSON.parse(process.argv[2] ?? "") as JobChildOptions;
const { home, packageFile, clearedMark, traceFile, ballastFile } = options;
let stumbles = 0;
let waits = 0;

const harness = new OtaHarness(
  {
    limits: {
      ...quickProbation,
      reserveBytes: 1024 * 1024,
      downloadCheckpoint: { bytes: 65_536, minIntervalMs: 0, maxIntervalMs: 60_000 },
    },
    nodeFile: options.nodeFile,
    logger: { ...silentLogger, error: () => void stumbles++ },
    clock: {
      ...systemClock,
      // What takes the engine a second or a minute of patience takes nobody's time here.
      sleep: (ms, signal) => {
        const isPatience = ms >= 400 && ms <= 60_000;
        if (isPatience) waitForBetterTimes();
        return systemClock.sleep(isPatience ? 5 : ms, signal);
      },
    },
    onTransition: ({ from, to }) => {
      if (traceFile !== undefined) appendFileSync(traceFile, `-- ${from} -> ${to}\n`);
    },
  },
  home,
);
for (const version of options.fatal) harness.host.versionStates.set(version, "FATAL");
if (packageFile !== undefined) {
  harness.content.files.set(basename(packageFile), readFileSync(packageFile));
}
const alive = setInterval(() => undefined, 1_000);
harness.ota.start();
await repeated(() => {
  if (existsSync(clearedMark)) return harness.ota.acknowledgeEmpty();
  const { key } = harness.ota.accept({ text: options.command, serverTimestamp: 1_700_000_000 });
  writeFileSync(clearedMark, "");
  harness.ota.acknowledgeCleared(key);
});
await repeated(() => harness.ota.idle());
const result = await repeated(resultOf);
clearInterval(alive);
process.stdout.write(`${JSON.stringify(result)}\n`);
await harness.dispose();

/** As the check-in loop does: what fails is done again at the next one. */
async function repeated<T>(work: () => T | Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= 200) throw error;
      waitForBetterTimes();
      await systemClock.sleep(5);
    }
  }
}

function waitForBetterTimes(): void {
  if (ballastFile !== undefined) rmSync(ballastFile, { force: true });
  waits += 1;
  if (options.patience !== undefined && waits > options.patience) process.exit(outOfPatience);
}

function resultOf(): JobChildResult {
  const { host, ota } = harness;
  const meter = host.installed("meter");
  return {
    reports: harness
      .reports()
      .flatMap(({ apps }) => apps.map(({ name, status, output }) => ({ name, status, output }))),
    registered: meter === undefined ? [] : [[meter.name, meter.version, meter.directory]],
    versions: harness.versionsOf("meter"),
    packages: existsSync(join(home, "packages")) ? readdirSync(join(home, "packages")) : [],
    unended: ota.jobs().length,
    stumbles,
  };
}

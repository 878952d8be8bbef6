import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OtaHarness, workerFile } from "../ota-harness.ts";
import { bundleProgram } from "../program-bundle.ts";
import { type CountedCalls, type Fault, FaultLayer, parseCall } from "./fault-layer.ts";
import type { JobChildOptions, JobChildResult } from "./job-child.ts";
import { commandOf, noteRun, type Scenario } from "./scenarios.ts";

export interface JobRun {
  /** How the process ended: its exit status (`outOfPatience`: it waited), or the signal. */
  readonly end: number | NodeJS.Signals | "hung";
  readonly complaints: string;
  readonly result: JobChildResult | undefined;
  /** Calls in order, each with the phase of the job that it was made in. */
  readonly calls: readonly PhasedCall[];
}

export interface PhasedCall {
  readonly n: number;
  /** `unpacking: worker fsync /apps/meter/…`, without what differs from run to run. */
  readonly name: string;
  readonly phase: string;
}

export interface RunOptions {
  readonly fault?: Fault;
  readonly calls?: CountedCalls;
  readonly ballastFile?: string;
  /** How often the pipeline waits for better times before the run is ended; for ever by default. */
  readonly patience?: number;
}

const childFile = bundleProgram("test/support/faults/job-child.ts");
const hungMs = 30_000;

/** One scenario, in a directory of its own, as often as wanted from its beginning. */
export class JobSite implements Disposable {
  readonly scenario: Scenario;
  readonly directory: string;
  readonly home: string;

  private constructor(scenario: Scenario, home: string | undefined) {
    this.scenario = scenario;
    this.directory = mkdtempSync(join(tmpdir(), "gwe-job-"));
    this.home = home ?? join(this.directory, "home");
  }

  /** @param home where the engine's files lie, if not in the site's own temporary directory */
  static async prepare(scenario: Scenario, home?: string): Promise<JobSite> {
    const site = new JobSite(scenario, home);
    const harness = new OtaHarness({}, site.home);
    for (const version of scenario.before) {
      const script = noteRun(site.runsFile);
      await harness.pretendKept("meter", version, { "install.sh": script, "pre-remove": script });
    }
    await harness.dispose();
    const content = scenario.package?.(site.runsFile);
    if (content !== undefined) writeFileSync(site.packageFile, content);
    cpSync(site.home, join(site.directory, "template"), { recursive: true });
    return site;
  }

  get runsFile(): string {
    return join(this.directory, "runs");
  }

  private get packageFile(): string {
    return join(this.directory, "meter.v2.tar.gz");
  }

  private get clearedMark(): string {
    return join(this.directory, "cleared");
  }

  /** Everything as it was before the command. */
  reset(): void {
    for (const path of [this.home, this.runsFile, this.clearedMark]) {
      rmSync(path, { recursive: true, force: true });
    }
    cpSync(join(this.directory, "template"), this.home, { recursive: true });
  }

  /** `install.sh 2` for each script that has run since the reset. */
  runs(): readonly string[] {
    return existsSync(this.runsFile) ? readFileSync(this.runsFile, "utf8").split("\n").slice(0, -1) : [];
  }

  /** The registered version, as supervision has it on disk. */
  registered(): { readonly version: string; readonly directory: string } | undefined {
    const file = join(this.home, "host.json");
    if (!existsSync(file)) return undefined;
    const apps = JSON.parse(readFileSync(file, "utf8")) as [string, { version: string; directory: string }][];
    return apps[0]?.[1];
  }

  /** Runs the pipeline until it has nothing left to do, or until the fault ends it. */
  async run({ fault, calls, ballastFile, patience }: RunOptions = {}): Promise<JobRun> {
    using layer = new FaultLayer(this.home, fault, calls);
    const content = existsSync(this.packageFile) ? readFileSync(this.packageFile) : undefined;
    const options: JobChildOptions = {
      home: this.home,
      packageFile: content && this.packageFile,
      command: commandOf(this.scenario, content),
      fatal: this.scenario.fatal ?? [],
      clearedMark: this.clearedMark,
      traceFile: layer.traceFile,
      nodeFile: layer.nodeFile("worker"),
      ballastFile,
      patience,
    };
    const child = spawn(process.execPath, [childFile, JSON.stringify(options)], {
      env: { ...process.env, ...layer.environmentOf("engine"), GWE_TEST_OTA_WORKER: workerFile },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let complaints = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaints += text;
    });
    let isHung = false;
    const timer = setTimeout(() => {
      isHung = true;
      child.kill("SIGKILL");
    }, hungMs);
    const end = await new Promise<number | NodeJS.Signals>((resolve) => {
      child.once("close", (code, signal) => resolve(signal ?? code ?? 0));
    });
    clearTimeout(timer);
    const last = output.trim().split("\n").at(-1) ?? "";
    return {
      end: isHung ? "hung" : end,
      complaints,
      result: last.startsWith("{") ? (JSON.parse(last) as JobChildResult) : undefined,
      calls: phasedCalls(layer.trace()),
    };
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function phasedCalls(trace: readonly string[]): readonly PhasedCall[] {
  let phase = "start";
  const calls: PhasedCall[] = [];
  for (const line of trace) {
    const to = /^-- \S+ -> (\S+)$/.exec(line)?.[1];
    if (to !== undefined) phase = to;
    const call = parseCall(line);
    if (call === undefined) continue;
    const path = call.path
      .replace(/\.unpacking-\d+-\d+/, ".unpacking")
      .replace(/\.[0-9a-f]{12}\.tmp$/, ".tmp");
    calls.push({ n: call.n, phase, name: `${phase}: ${call.role} ${call.call} ${path}` });
  }
  return calls;
}

/** Names of everything below a directory, with the bytes of each file. */
export function treeOf(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const size = entry.isFile() ? ` ${readFileSync(path).length}` : "";
      return `${path.slice(directory.length + 1)}${size}`;
    })
    .sort();
}

import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { Case, Note, Observation, Step } from "./case.ts";

/** A case under one of the two supervisors. */
export interface Run {
  readonly directory: string;
  /** All log files that are there by now. Absolute. */
  logFiles(): readonly string[];
  start(): Promise<void>;
  stop(): Promise<void>;
  /** The state of each process. */
  states(): Promise<readonly string[]>;
  observe(): Promise<Pick<Observation, "states" | "end" | "own">>;
  dispose(): Promise<void>;
}

export interface Side {
  /** @returns undefined when the configuration is refused */
  open(one: Case): Promise<Run | undefined>;
}

/** Not under test, and at least as long as the slowest of either needs. */
const stepTimeoutMs = 30_000;
const defaultSteps: readonly Step[] = ["until RUNNING", "stop", "until STOPPED"];
const probeSteps: readonly Step[] = ["until ready", ...defaultSteps];

/** Takes a case through its steps under one supervisor. */
export async function observe(side: Side, one: Case): Promise<Observation> {
  const run = await side.open(one);
  const nothing = { stuckAt: "", notes: [], states: new Map(), end: "", logs: new Map(), stops: [], own: [] };
  if (run === undefined) return { ...nothing, accepted: false };
  try {
    const stops: number[] = [];
    let stuckAt = "";
    for (const step of one.steps ?? (one.conf.includes("<probe>") ? probeSteps : defaultSteps)) {
      if (step === "stop" || step === "restart") stops.push(monotonic());
      if (!(await take(run, step))) {
        stuckAt = step;
        break;
      }
    }
    const logs = await settledLogs(run);
    return { accepted: true, stuckAt, notes: notesIn(run.directory), stops, logs, ...(await run.observe()) };
  } finally {
    await run.dispose();
    endChildren(run.directory);
  }
}

/** What a case has left running on purpose. */
function endChildren(directory: string): void {
  for (const name of readdirSync(directory)) {
    const pid = /^(\d+)\.notes$/.exec(name)?.[1];
    if (pid !== undefined) endIfIn(directory, Number(pid));
    const child = /^(\d+)\.child$/.exec(name)?.[1];
    if (child !== undefined) endIfIn(directory, Number(child));
  }
}

function endIfIn(directory: string, pid: number): void {
  try {
    if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(directory)) process.kill(pid, "SIGKILL");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ESRCH") throw error;
  }
}

/** The clock of the notes, in seconds. */
export function monotonic(): number {
  return Number(process.hrtime.bigint()) / 1e9;
}

/** @returns whether the step came to its end in time */
async function take(run: Run, step: Step): Promise<boolean> {
  const [verb = "", ...words] = step.split(" ");
  const argument = words.join(" ");
  switch (verb) {
    case "start":
      await run.start();
      return true;
    case "stop":
      await run.stop();
      return true;
    case "restart":
      await run.stop();
      if (!(await within(async () => (await run.states()).every((state) => state === "STOPPED"))))
        return false;
      await run.start();
      return true;
    case "pause":
      await sleep(Number(argument) * 1000);
      return true;
    case "send": {
      const last = notesIn(run.directory).findLast(({ kind }) => kind === "start");
      if (last?.kind === "start") process.kill(last.pid, `SIG${argument}`);
      return last !== undefined;
    }
    default: {
      if (argument === "ready") {
        return within(async () => notesIn(run.directory).some(({ kind }) => kind === "ready"));
      }
      const starts = /^(\d+) starts$/.exec(argument)?.[1];
      if (starts === undefined) {
        return within(async () => (await run.states()).every((state) => state === argument));
      }
      const isStart = ({ kind }: Note): boolean => kind === "start";
      return within(async () => notesIn(run.directory).filter(isStart).length >= Number(starts));
    }
  }
}

export async function within(condition: () => Promise<boolean>, timeoutMs = stepTimeoutMs): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() >= deadline) return false;
    await sleep(20);
  }
  return true;
}

function notesIn(directory: string): readonly Note[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(".notes"))
    .flatMap((name) =>
      readFileSync(join(directory, name), "utf8")
        .split("\n")
        .slice(0, -1)
        .map((line) => ({ pid: Number(name.split(".")[0]), ...JSON.parse(line) }) as Note),
    )
    .sort((one, other) => one.t - other.t);
}

/** All logs, once none has grown for a while: both supervisors write a little later than the program does. */
async function settledLogs(run: Run): Promise<ReadonlyMap<string, string>> {
  const sizes = (): string =>
    run
      .logFiles()
      .map((file) => `${file} ${statSync(file, { throwIfNoEntry: false })?.size}`)
      .join();
  let before = "";
  for (let same = 0; same < 4; same = sizes() === before ? same + 1 : 0) {
    before = sizes();
    await sleep(100);
  }
  return new Map(run.logFiles().map((file) => [basename(file), readFileSync(file, "utf8")]));
}

export function filesIn(directory: string): readonly string[] {
  return readdirSync(directory).map((name) => join(directory, name));
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Records a load, cuts the power at many moments of the recording, and looks at what is left. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DiskImage } from "./disk-image.ts";
import { RigError, Violation } from "./errors.ts";
import { readEvents, type Stamped, until, writeEvents } from "./events.ts";
import { makeFileSystem, mountState, unmount } from "./file-system.ts";
import { logBytesAt, type PowerCut, planCut, survivors } from "./power-cut.ts";
import { Dice } from "./random.ts";
import { Recorder } from "./recorder.ts";
import type { LoadRequest, Scenario } from "./scenario.ts";
import { Shell } from "./shell.ts";
import { type LogEntry, readWriteLog } from "./write-log.ts";
import { Writeback } from "./writeback.ts";

const diskBytes = 64 * 1024 * 1024;
const loadDeadlineMs = 120_000;
const maxKept = 5;
/** Each begins with what a cut left of the one before. */
const livesOfDisk = 4;

export interface Task {
  readonly scenario: Scenario;
  readonly states: number;
  /** States from one recording at most. */
  readonly statesPerRound: number;
  readonly seed: string;
  readonly control: boolean;
  /** Enough for a control run. */
  readonly stopAtFirstLoss: boolean;
  /** A directory in memory, for this alone. */
  readonly scratch: string;
  /** Where the first disks go that broke a promise. */
  readonly keep: string;
}

export interface Tally {
  states: number;
  rounds: number;
  /** Broken promises, in words. */
  readonly losses: string[];
  /** File systems that `e2fsck` had to see to first. */
  repairs: number;
  /** Writes and flushes that were recorded. */
  entries: number;
  /** Things that the loads noted as done. */
  events: number;
  recordingMs: number;
  checkingMs: number;
}

/** The same for the load and for those who look: what is on the disk may name it. */
function mountPoint(scratch: string): string {
  return join(scratch, "mounted");
}

/** A disk and what happened to it so far. */
interface Disk {
  readonly image: string;
  readonly history: readonly Stamped<unknown>[];
}

interface Recording {
  /** The disk before the load. */
  readonly before: Disk;
  readonly log: readonly LogEntry[];
  readonly events: readonly Stamped<unknown>[];
}

/** @param onRound told of each finished recording with its states */
export async function prove(task: Task, onRound: (tally: Readonly<Tally>) => void): Promise<Tally> {
  const tally: Tally = {
    states: 0,
    rounds: 0,
    losses: [],
    repairs: 0,
    entries: 0,
    events: 0,
    recordingMs: 0,
    checkingMs: 0,
  };
  mkdirSync(mountPoint(task.scratch), { recursive: true });
  await using shell = new Shell(join(task.scratch, "messages"));
  let disk: Disk = { image: join(task.scratch, "disk.img"), history: [] };
  while (tally.states < task.states) {
    if (tally.rounds % livesOfDisk === 0) {
      makeFileSystem(disk.image, diskBytes);
      disk = { ...disk, history: [] };
    }
    const recording = await timed(tally, "recordingMs", () =>
      record(task, { shell, disk, round: tally.rounds }),
    );
    tally.entries += recording.log.length;
    tally.events += recording.events.length;
    disk = await timed(tally, "checkingMs", () => cutAndCheck(task, { shell, recording, tally }));
    tally.rounds += 1;
    onRound(tally);
    if (task.stopAtFirstLoss && tally.losses.length > 0) break;
  }
  rmSync(task.scratch, { recursive: true, force: true });
  return tally;
}

async function timed<T>(
  tally: Tally,
  what: "recordingMs" | "checkingMs",
  work: () => Promise<T>,
): Promise<T> {
  const began = performance.now();
  try {
    return await work();
  } finally {
    tally[what] += performance.now() - began;
  }
}

async function record(
  { scenario, scratch, seed, control }: Task,
  { shell, disk, round }: { shell: Shell; disk: Disk; round: number },
): Promise<Recording> {
  const before = { ...disk, image: `${disk.image}.before` };
  copyFileSync(disk.image, before.image);
  await using recorder = new Recorder({ image: disk.image, directory: mountPoint(scratch), scratch, shell });
  await recorder.start();
  const writeback = new Writeback(recorder.directory);
  // Every other time: it also makes durable what the load may have forgotten to.
  if (round % 2 === 1) writeback.start();
  const events = join(scratch, "events");
  const history = join(scratch, "history");
  writeEvents(events, []);
  writeEvents(history, before.history);
  await load(scenario.load, {
    directory: recorder.directory,
    writeLog: recorder.log,
    events,
    history,
    seed: `${seed}/${round}`,
    life: round % livesOfDisk,
    control,
  });
  await writeback.stop();
  await recorder.stop();
  const log = readWriteLog(recorder.log);
  // The log must account for every byte, or the states made from it would be fiction.
  const rebuilt = DiskImage.read(before.image);
  rebuilt.advance(log, log.length);
  if (!rebuilt.equals(disk.image))
    throw new RigError("the write log does not lead to the disk that was written");
  return { before, log, events: readEvents(events) };
}

async function load(program: string, request: LoadRequest): Promise<void> {
  const child = spawn(process.execPath, [program, JSON.stringify(request)], {
    stdio: ["ignore", "inherit", "inherit"],
    timeout: loadDeadlineMs,
    killSignal: "SIGKILL",
  });
  const [status, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  if (status !== 0) throw new RigError(`the load ${program} ended with ${signal ?? `status ${status}`}`);
}

/** @returns the disk after one of the cuts: where the next round goes on */
async function cutAndCheck(
  task: Task,
  { shell, recording, tally }: { shell: Shell; recording: Recording; tally: Tally },
): Promise<Disk> {
  const { before, log, events } = recording;
  const count = Math.min(task.statesPerRound, task.states - tally.states);
  const dice = new Dice(task.seed, task.scenario.name, "cuts", tally.rounds);
  const cuts = Array.from({ length: count }, () => planCut(log, dice)).sort((a, b) => a.durable - b.durable);
  // Late enough for the next life to find something.
  const survivor = dice.between(Math.floor(count / 2), count - 1);
  const image = DiskImage.read(before.image);
  const state = join(task.scratch, "state.img");
  const next = join(task.scratch, "disk.img");
  let history: readonly Stamped<unknown>[] = [];
  for (const [index, cut] of cuts.entries()) {
    image.advance(log, cut.durable);
    const patches = survivors(log, cut, new Dice(cut.seed));
    image.writeTo(state, patches);
    const known = [...before.history, ...until(events, logBytesAt(log, cut))];
    if (index === survivor) {
      copyFileSync(state, next);
      history = known.map((event) => ({ ...(event as object), at: 0 }));
    }
    const loss = await check(task, { shell, image: state, known, cut, tally });
    tally.states += 1;
    if (loss === undefined) continue;
    tally.losses.push(loss);
    if (task.control || tally.losses.length > maxKept) continue;
    // As it was before anybody looked: mounting has changed it.
    image.writeTo(state, patches);
    keepState(join(task.keep, `${task.scenario.name}-${tally.rounds}-${index}`), { state, known, cut, loss });
  }
  return { image: next, history };
}

interface Look {
  readonly shell: Shell;
  readonly image: string;
  readonly known: readonly Stamped<unknown>[];
  readonly cut: PowerCut;
  readonly tally: Tally;
}

/** @returns what was lost */
async function check(
  { scenario, scratch }: Task,
  { shell, image, known, cut, tally }: Look,
): Promise<string | undefined> {
  const directory = mountPoint(scratch);
  const { repaired } = await mountState(shell, image, directory);
  if (repaired) tally.repairs += 1;
  try {
    await scenario.check({ directory, events: known, dice: new Dice(cut.seed, "check") });
    return undefined;
  } catch (error) {
    if (error instanceof Violation) return error.message;
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } finally {
    await unmount(shell, directory);
  }
}

function keepState(
  directory: string,
  { state, known, cut, loss }: { state: string; known: readonly unknown[]; cut: PowerCut; loss: string },
): void {
  mkdirSync(directory, { recursive: true });
  copyFileSync(state, join(directory, "disk.img"));
  writeFileSync(join(directory, "loss.txt"), `${loss}\n`);
  writeFileSync(join(directory, "cut.json"), `${JSON.stringify(cut, null, 2)}\n`);
  writeEvents(join(directory, "events.jsonl"), known);
}

import { join } from "node:path";
import type { Job } from "../journal.ts";
import type { OtaDependencies } from "../ports.ts";
import type { InstallerProcess, ScriptRun } from "../state-machine.ts";
import { removeLeftover } from "./package-file.ts";

type RunDirectories = Pick<OtaDependencies, "directories">;

/** Where an attendant keeps what comes of a job's script. */
export function runDirectory(
  { directories }: RunDirectories,
  job: Pick<Job, "id">,
  { attempt, script }: ScriptRun,
): string {
  return join(directories.scripts, `${job.id}-${attempt}-${script}`);
}

/** Whose script a directory is of; NaN for what is none of ours. */
function jobOfRun(name: string): number {
  return Number.parseInt(name, 10);
}

/** Removes what attendants have kept for a job. */
export async function discardRuns(
  deps: Pick<OtaDependencies, "directories" | "platform" | "logger">,
  isOver: (job: number) => boolean,
): Promise<void> {
  const { scripts } = deps.directories;
  for (const name of await deps.platform.files.list(scripts)) {
    if (isOver(jobOfRun(name))) await removeLeftover(deps, join(scripts, name));
  }
}

/**
 * Whether a script that was begun with can be gone on with: it runs, or what came of it is on disk, whoever went down
 * meanwhile.
 */
export function canBeAdopted(
  deps: Pick<OtaDependencies, "directories" | "platform">,
  job: Pick<Job, "id">,
  process: InstallerProcess,
): process is InstallerProcess & { readonly run: ScriptRun } {
  const { platform } = deps;
  if (process.run === undefined) return false;
  if (platform.attendedHasEnded(runDirectory(deps, job, process.run))) return true;
  // After a reboot its pid means nothing.
  return process.bootId === platform.bootId() && platform.isSameProcessAlive(process);
}

/** A script that the same step has begun with before the engine's end. */
export interface BegunScript {
  /** Undefined of one that has ended: a later one was begun with. */
  readonly attendant: InstallerProcess | undefined;
}

/**
 * The scripts of one step, in the order in which it comes to them. A step that goes on after the engine's end asks for
 * the same ones again, and none is run a second time.
 */
export class ScriptRuns {
  private readonly deps: RunDirectories;
  private readonly job: Job;
  private readonly attempt: number;
  /** The last one that was begun with before, until the step has come to it. */
  private pending: (InstallerProcess & { readonly run: ScriptRun }) | undefined;

  /** @param job as of the step's beginning */
  constructor(deps: RunDirectories, job: Job) {
    const process = "process" in job.state ? job.state.process : null;
    this.deps = deps;
    this.job = job;
    this.attempt = process?.run?.attempt ?? job.transitions;
    if (process?.run !== undefined) this.pending = { ...process, run: process.run };
  }

  nameOf(script: string): ScriptRun {
    return { attempt: this.attempt, script };
  }

  directoryOf(script: string): string {
    return runDirectory(this.deps, this.job, this.nameOf(script));
  }

  /** Whether a script is the one that ran last, though it may have removed itself meanwhile. */
  isPending(script: string): boolean {
    return this.pending?.run.script === script;
  }

  /** To be asked once when the step comes to a script; undefined when it has not been begun with. */
  recall(script: string): BegunScript | undefined {
    const { pending } = this;
    if (pending === undefined) return undefined;
    if (pending.run.script !== script) return { attendant: undefined };
    this.pending = undefined;
    return { attendant: pending };
  }
}

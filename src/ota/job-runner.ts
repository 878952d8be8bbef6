import { describeError } from "../core/errors.ts";
import {
  CancelledError,
  isDatabaseTrouble,
  isDiskTrouble,
  PackageLostError,
  ScriptLostError,
  StepFailure,
} from "./errors.ts";
import type { Job } from "./journal.ts";
import type { OtaDependencies } from "./ports.ts";
import {
  type InstallerProcess,
  isCancellable,
  isEnd,
  type JobEvent,
  type JobState,
  noResult,
  type Phase,
} from "./state-machine.ts";
import { activate } from "./steps/activate.ts";
import { restoreSettings, trySettings } from "./steps/configure.ts";
import { requireNoDowngrade } from "./steps/downgrade.ts";
import { type DownloadedPackage, type DownloadProgress, downloadPackage } from "./steps/download.ts";
import { activateEngine, isEnginePackage, requireReplaceable } from "./steps/engine-package.ts";
import { install } from "./steps/install.ts";
import { endLeftScript } from "./steps/left-script.ts";
import { discardPackage } from "./steps/package-file.ts";
import { perform } from "./steps/perform.ts";
import { probation } from "./steps/probation.ts";
import { rollBack } from "./steps/roll-back.ts";
import type { OnStarted } from "./steps/script.ts";
import { canBeAdopted, discardRuns, runDirectory, ScriptRuns } from "./steps/script-runs.ts";
import type { StepContext } from "./steps/step.ts";
import { removeStaleStaging, unpack } from "./steps/unpack.ts";
import { verifyPackage } from "./steps/verify.ts";
import type { VersionDirectories } from "./versions.ts";

export interface JobRunnerDependencies {
  readonly deps: OtaDependencies;
  readonly versions: VersionDirectories;
  /** Commits what the event leads to and returns the job as it is then. */
  readonly apply: (job: Job, event: JobEvent) => Job;
  readonly onProgress: DownloadProgress;
}

/** Steps stop at once at `stop`; what is done to an app at `giveUp`, which comes later. */
export interface StopSignals {
  readonly stop: AbortSignal;
  readonly giveUp: AbortSignal;
  /** The job was called off: the journal says so already. */
  readonly cancel: AbortSignal;
}

/** What changes the gateway is not left half-done without need. */
const heldTogether: ReadonlySet<Phase> = new Set<Phase>(["rolling-back", "performing"]);

/** Works one job through to its end: performs its state's action, journals what came of it, and so on. */
export class JobRunner {
  private readonly with: JobRunnerDependencies;
  /** SHA-256 of packages that this process has received itself, by job. Not journaled: after a crash the disk is asked. */
  private readonly received = new Map<number, string>();

  constructor(dependencies: JobRunnerDependencies) {
    this.with = dependencies;
  }

  /**
   * @throws the stop signal's reason when stopped, with the journal at a state to go on from; anything else it throws is
   *   a fault of the engine or its disk, not of the package
   */
  async run(start: Job, { stop, giveUp, cancel }: StopSignals): Promise<void> {
    const { deps, versions, apply } = this.with;
    let job = start;
    try {
      while (!isEnd(job.state)) {
        stop.throwIfAborted();
        const untilStop = isCancellable(job.state) ? AbortSignal.any([stop, cancel]) : stop;
        const signal = heldTogether.has(job.state.phase) ? giveUp : untilStop;
        const runs = new ScriptRuns(deps, job);
        const context = { deps, versions, signal, stopping: stop, runs, job };
        const { event, latest } = await this.perform(context, job.state);
        const current = latest ?? job;
        job = isEnd(current.state) ? current : apply(current, event);
      }
    } catch (error) {
      if (!(error instanceof CancelledError)) throw error;
    }
    this.received.delete(job.id);
    await discardPackage({ deps, job });
    await discardRuns(deps, (id) => id === job.id);
    // A worker that outlived a killed engine for a moment may have filled its directory after the clean-up at start.
    // Only a package's name is known to be that of a directory.
    if (job.task.verb === "install") await removeStaleStaging({ deps, versions }, job.app);
  }

  /** What a crash left of a job that was being worked on, brought to where it can go on. */
  async recover(job: Job): Promise<Job> {
    const { deps, apply } = this.with;
    const { state } = job;
    if ("process" in state && state.process !== null) {
      const attendant = state.process;
      if (state.phase !== "probation" && canBeAdopted(deps, job, attendant)) {
        const adopted = apply(job, { type: "adopted" });
        if (!isEnd(adopted.state)) return adopted;
      }
      const directory = scriptDirectory(state) ?? deps.host.installed(job.app)?.directory ?? "";
      // What a finished installer has left running is no leftover of `health`.
      const script = state.phase === "probation" ? "health" : undefined;
      const { run } = attendant;
      const kept = run && runDirectory(deps, job, run);
      await endLeftScript(deps, { attendant, runDirectory: kept, job: job.id, directory, script });
      await discardRuns(deps, (id) => id === job.id);
    }
    return apply(job, { type: "resumed" });
  }

  private async perform(
    context: StepContext,
    state: JobState,
  ): Promise<{ event: JobEvent; latest?: Job | undefined }> {
    let latest: Job | undefined;
    const onStarted = (process: InstallerProcess): void => {
      latest = this.with.apply(latest ?? context.job, { type: "script-started", process });
      // The last transition that the job may make: it has failed, and the script must not run.
      if (isEnd(latest.state)) throw new StepFailure(latest.state.note);
    };
    try {
      return { event: await this.action(context, state, onStarted), latest };
    } catch (error) {
      context.signal.throwIfAborted();
      context.stopping.throwIfAborted();
      if (error instanceof ScriptLostError) return { event: { type: "resumed" }, latest };
      if (error instanceof PackageLostError) return { event: { type: "package-lost" } };
      if (isOwnTrouble(error, state.phase)) throw error;
      const event = failure(error, context.deps.redact);
      // Not the error itself: what it quotes has not gone through `redact`.
      context.deps.logger.warn("a step of a job failed", {
        app: context.job.app,
        phase: state.phase,
        reason: event.note,
      });
      return { event, latest };
    }
  }

  private async download(context: StepContext): Promise<DownloadedPackage> {
    const { wanted, receivedSha256 } = await downloadPackage(context, this.with.onProgress);
    this.received.set(context.job.id, receivedSha256);
    return wanted;
  }

  private async action(context: StepContext, state: JobState, onStarted: OnStarted): Promise<JobEvent> {
    switch (state.phase) {
      case "received":
        return { type: "released" };
      case "queued":
        if (isEnginePackage(context.job)) requireReplaceable(context);
        else if (context.job.task.verb === "install") requireNoDowngrade(context);
        return { type: "begun", source: beginning(context.job) };
      case "downloading":
        return { type: "downloaded", ...(await this.download(context)) };
      case "verifying":
        await verifyPackage(context, state, this.received.get(context.job.id));
        return { type: "verified" };
      case "unpacking":
        return { type: "unpacked", ...(await unpack(context, state.sizeBytes)) };
      case "installing":
        return { type: "installed", result: await install(context, state.app, onStarted) };
      case "activating":
        return isEnginePackage(context.job)
          ? activateEngine(context)
          : activate(context, state.app, state.result);
      case "probation":
        return { type: "proved", note: await probation(context, state.app, state.result, onStarted) };
      case "rolling-back":
        return rollBack(context, state, onStarted);
      case "performing":
        return perform(context, onStarted);
      case "trying":
        return trySettings(context, state);
      case "restoring":
        return restoreSettings(context, state);
      case "committed":
      case "failed":
      case "rolled-back":
      case "cancelled":
      case "interrupted":
      case "skipped":
        // The run ends before it gets here.
        return { type: "resumed" };
    }
  }
}

function beginning({ task, source }: Job): "content" | "file" | "task" {
  if (task.verb !== "install") return "task";
  return source.kind === "file" ? "file" : "content";
}

/** Whose script was running; undefined for a task done to the registered version. */
function scriptDirectory(state: JobState): string | undefined {
  switch (state.phase) {
    case "installing":
    case "probation":
      return state.app.directory;
    case "rolling-back":
      return state.to?.directory;
    default:
      return undefined;
  }
}

type FailedEvent = Extract<JobEvent, { type: "failed" }>;

/**
 * Trouble of the engine's own is no verdict on the package: the pipeline goes on from the journal when it has passed.
 * A full or broken disk ends what is only begun; in a rollback there is nothing left to fall back on, so it is waited for.
 */
function isOwnTrouble(error: unknown, phase: Phase): boolean {
  return isDatabaseTrouble(error) || (phase === "rolling-back" && isDiskTrouble(error));
}

function failure(error: unknown, redact: (text: string) => string): FailedEvent {
  if (error instanceof StepFailure) {
    const { exitCode, output, outputBytesCut } = error;
    return { type: "failed", note: redact(error.message), result: { exitCode, output, outputBytesCut } };
  }
  return { type: "failed", note: redact(describeError(error)), result: noResult };
}

import type { InstallResult, JobRecord, JobStatus } from "../core/control-api.ts";
import { InvariantError } from "../core/errors.ts";
import { retryDelayMs } from "../core/retry.ts";
import { planCancellations } from "./cancellation.ts";
import { CancelledError, StoppedError } from "./errors.ts";
import { readHistory } from "./history.ts";
import { cleanUp, prune } from "./housekeeping.ts";
import { type AcceptOutcome, type AcceptRequest, CommandIntake, type CommandResult } from "./intake.ts";
import { JobRunner } from "./job-runner.ts";
import { type Job, Journal } from "./journal.ts";
import type { OtaDependencies } from "./ports.ts";
import { isEnd, type JobEvent, transition } from "./state-machine.ts";
import { isEnginePackage } from "./steps/engine-package.ts";
import { VersionDirectories } from "./versions.ts";
import { Wakeup } from "./wakeup.ts";

/** Between attempts to go on after the journal or the disk failed. */
const troubleRetry = { firstDelayMs: 1_000, maxDelayMs: 60_000, factor: 2, jitter: 0.5 };

type FinishedListener = (result: CommandResult) => void;

/** The two ways in which work is told to stop: most at once, what is done to an app only after a grace. */
interface Run {
  readonly stop: AbortController;
  readonly giveUp: AbortController;
  readonly done: Promise<void>;
}

/**
 * The update pipeline: takes commands, works through them one package at a time, and reports each command when all of
 * it has ended. Whatever it owes is in the journal: a crash at any point loses nothing and repeats nothing that must
 * not be repeated (docs/adr/0003-journal-first-otau.md).
 */
export class Ota {
  private readonly deps: OtaDependencies;
  private readonly journal: Journal;
  private readonly intake: CommandIntake;
  private readonly versions: VersionDirectories;
  private readonly runner: JobRunner;
  private readonly wakeup = new Wakeup();
  private readonly listeners = new Set<FinishedListener>();
  /** Command key → monotonic time after which its work begins without an acknowledged clearing. */
  private readonly releaseAt = new Map<string, number>();
  private progress: { job: number; receivedBytes: number; totalBytes: number } | undefined;
  /** The job being worked on. */
  private current: { readonly job: number; readonly cancel: AbortController } | undefined;
  private run: Run | undefined;
  /** From the start on, except while there is nothing to do. */
  private busy = false;

  constructor(deps: OtaDependencies) {
    this.deps = deps;
    this.journal = new Journal(deps.db);
    this.versions = new VersionDirectories(deps.db, deps.directories.apps);
    this.intake = new CommandIntake({
      journal: this.journal,
      outbox: deps.outbox,
      format: deps.fetchStatusFormat,
      now: () => deps.clock.now(),
    });
    this.runner = new JobRunner({
      deps,
      versions: this.versions,
      apply: (job, event) => this.apply(job, event),
      onProgress: (receivedBytes, totalBytes) => {
        if (this.progress !== undefined) this.progress = { ...this.progress, receivedBytes, totalBytes };
      },
    });
  }

  /**
   * Takes a value of `engine_fetch` (not an empty one). Synchronous, and durable when it returns: the alias may be
   * cleared then, and not before. Work begins when the clearing is acknowledged, or has not been for a while.
   */
  accept(request: AcceptRequest): AcceptOutcome {
    const { ended, ...outcome } = this.intake.accept(request);
    this.deps.logger.info("command taken", { kind: outcome.kind, key: outcome.key });
    if (!this.releaseAt.has(outcome.key)) {
      this.releaseAt.set(outcome.key, this.deps.clock.monotonic() + this.deps.limits.clearingGraceMs);
    }
    if (ended !== undefined) queueMicrotask(() => this.announce(ended));
    this.carryOutCancellations();
    this.wakeup.wake();
    return outcome;
  }

  /** Murano has acknowledged that the command is off `engine_fetch`: the same text is a new command from now on. */
  acknowledgeCleared(key: string): void {
    this.journal.close(Number(key));
    this.releaseAt.delete(key);
    this.wakeup.wake();
  }

  /** `engine_fetch` was read and is empty: what had been taken is cleared, whether or not an answer said so. */
  acknowledgeEmpty(): void {
    if (!this.journal.hasOpen()) return;
    this.journal.close();
    this.releaseAt.clear();
    this.wakeup.wake();
  }

  /**
   * Installs package files that lie on this gateway, by the same pipeline without the download, and resolves when all
   * have ended. The pipeline must be started.
   */
  installFiles(paths: readonly string[]): Promise<readonly InstallResult[]> {
    return this.resultsOf(this.intake.acceptFiles(paths));
  }

  /** Removes an app with all its versions, and resolves when that has ended. The pipeline must be started. */
  removeApp(name: string): Promise<readonly InstallResult[]> {
    return this.resultsOf(this.intake.acceptTask({ verb: "remove" }, name));
  }

  /** The newest jobs, of one app where it is named, newest first. */
  history(app?: string): readonly JobRecord[] {
    return readHistory(this.deps.db, app);
  }

  /**
   * Resumes what a crash left and works through whatever is and will be in the journal. Answers at once; the work goes
   * on in the background.
   */
  start(): void {
    if (this.run !== undefined) throw new InvariantError("the update pipeline is started already");
    const stop = new AbortController();
    const giveUp = new AbortController();
    this.busy = true;
    this.run = { stop, giveUp, done: this.work(stop.signal, giveUp.signal) };
  }

  /**
   * Stops at a safe point: transfers and unpacking at once; what supervision was asked to do to an app may end within
   * `limits.stopGraceMs`. An installer that runs runs on. The next start goes on from the journal.
   */
  async stop(): Promise<void> {
    const { run } = this;
    if (run === undefined) return;
    run.stop.abort(new StoppedError("the update pipeline is stopping"));
    this.wakeup.wake();
    const waited = new AbortController();
    await Promise.race([run.done, this.deps.clock.sleep(this.deps.limits.stopGraceMs, waited.signal)]);
    waited.abort();
    run.giveUp.abort(new StoppedError("the update pipeline is stopping"));
    await run.done;
    if (this.run !== run) return;
    this.run = undefined;
    this.busy = false;
    this.wakeup.settle();
  }

  /** Resolves when there is nothing left to do, or be cleaned up. Until it is started, a pipeline with work stays busy. */
  async idle(): Promise<void> {
    while (this.busy || this.todo().length > 0) await this.wakeup.settled();
  }

  /** Installations that have not ended, in the order they are worked through. */
  jobs(): readonly JobStatus[] {
    return this.journal.unendedJobs().map(({ id, app, version, state }) => {
      const { progress } = this;
      const isDownloading = progress?.job === id && progress.totalBytes > 0 && state.phase === "downloading";
      const bytes = isDownloading && {
        receivedBytes: progress.receivedBytes,
        totalBytes: progress.totalBytes,
      };
      return { app, version, state: state.phase, ...bytes };
    });
  }

  /** Calls back after the report of a command is durable. Returns the function that ends this. */
  onFinished(listener: FinishedListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private resultsOf({
    key,
    ended,
  }: {
    readonly key: string;
    readonly ended?: CommandResult;
  }): Promise<readonly InstallResult[]> {
    const { promise, resolve } = Promise.withResolvers<readonly InstallResult[]>();
    const stopListening = this.onFinished((result) => {
      if (result.key !== key) return;
      stopListening();
      resolve(
        result.apps.map(({ name, version, status, exit_code, output }) => ({
          name,
          version,
          status,
          exitCode: exit_code,
          output,
        })),
      );
    });
    if (ended !== undefined) this.announce(ended);
    this.wakeup.wake();
    return promise;
  }

  private async work(stop: AbortSignal, giveUp: AbortSignal): Promise<void> {
    for (let trouble = 0; !stop.aborted; ) {
      try {
        await this.resume();
        for (;;) {
          await this.workOff(stop, giveUp);
          trouble = 0;
          this.busy = false;
          this.wakeup.settle();
          await this.wakeup.next(stop);
          this.busy = true;
        }
      } catch (error) {
        this.progress = undefined;
        if (stop.aborted) return;
        // The journal or the disk failed, not a package: as after a crash, the journal says where to go on.
        trouble += 1;
        const delayMs = retryDelayMs(troubleRetry, trouble, this.deps.random);
        this.deps.logger.error("the update pipeline stumbled, going on later", { error, delayMs });
        await this.deps.clock.sleep(delayMs, stop).catch(() => undefined);
      }
    }
  }

  private async resume(): Promise<void> {
    const { files } = this.deps.platform;
    for (const directory of Object.values(this.deps.directories)) files.ensureDirectory(directory);
    this.carryOutCancellations();
    for (const job of this.todo()) {
      if (isEnd(job.state)) this.commit([[job, job]]);
      else await this.runner.recover(job);
    }
    await cleanUp({ deps: this.deps, journal: this.journal, versions: this.versions });
  }

  private async workOff(stop: AbortSignal, giveUp: AbortSignal): Promise<void> {
    for (let job = this.todo()[0]; job !== undefined; job = this.todo()[0]) {
      stop.throwIfAborted();
      const waitMs = this.msUntilRelease(job);
      if (waitMs > 0) {
        await this.wakeup.nextWithin(waitMs, this.deps.clock, stop);
        continue;
      }
      this.progress = { job: job.id, receivedBytes: 0, totalBytes: 0 };
      const cancel = new AbortController();
      this.current = { job: job.id, cancel };
      await this.runner.run(job, { stop, giveUp, cancel: cancel.signal });
      this.current = undefined;
      await prune({ deps: this.deps, journal: this.journal, versions: this.versions });
      this.progress = undefined;
    }
  }

  /** Jobs that this run can work through, in that order. */
  private todo(): readonly Job[] {
    const jobs = this.journal.unendedJobs();
    return jobs.filter((job) => {
      if (job.task.verb === "configure") return this.deps.settings !== undefined;
      const isPlaced = isEnginePackage(job) && job.state.phase === "activating";
      return !isPlaced || this.deps.engineUpdate !== undefined;
    });
  }

  /** A command's work begins when it is off `engine_fetch`: what it starts might end the engine. */
  private msUntilRelease({ state, command }: Job): number {
    if (state.phase !== "received" || !this.journal.command(command).open) return 0;
    const key = String(command);
    const { clock, limits } = this.deps;
    const at = this.releaseAt.get(key) ?? clock.monotonic() + limits.clearingGraceMs;
    this.releaseAt.set(key, at);
    return at - clock.monotonic();
  }

  private apply({ id }: Job, event: JobEvent): Job {
    const job = this.journal.job(id);
    // Called off while its step was coming to an end.
    if (isEnd(job.state)) return job;
    const next = this.next(job, event);
    if (next === undefined) {
      if (event.type === "resumed") return job;
      throw new InvariantError("an event that its state excludes", {
        context: { phase: job.state.phase, event: event.type },
      });
    }
    this.commit([[job, next]]);
    return next;
  }

  /** The job after an event; undefined when the event means nothing to it. */
  private next(job: Job, event: JobEvent): Job | undefined {
    const progress = transition(job, event);
    if (progress === job) return undefined;
    const now = this.deps.clock.now();
    const begins = event.type === "begun" || event.type === "performed";
    const installed = job.task.verb === "install" ? undefined : this.deps.host.installed(job.app);
    return {
      ...job,
      // Tasks are done to whatever version is there when their turn comes.
      version: event.type === "begun" && installed !== undefined ? installed.version : job.version,
      state: progress.state,
      transitions: progress.transitions,
      startedAtMs: job.startedAtMs ?? (begins ? now : null),
      finishedAtMs: isEnd(progress.state) ? now : null,
    };
  }

  /** Calls off what commands ask to call off: at once, since what is to be called off may hold up everything else. */
  private carryOutCancellations(): void {
    const moves = planCancellations(this.journal).flatMap(({ job, event }) => {
      const next = this.next(job, event);
      return next === undefined ? [] : [[job, next] as const];
    });
    if (moves.length === 0) return;
    this.commit(moves);
    if (moves.some(([{ id }]) => id === this.current?.job)) {
      this.current?.cancel.abort(new CancelledError("the job was called off"));
    }
  }

  private commit(moves: readonly (readonly [Job, Job])[]): void {
    const ended = this.journal.transaction(() => {
      for (const [job, next] of moves) {
        this.journal.saveJob(next);
        this.recordVersions(job, next);
      }
      const commands = new Set(moves.map(([{ command }]) => command));
      return [...commands].flatMap((seq) => this.intake.finish(this.journal.command(seq)) ?? []);
    });
    for (const [job, next] of moves) {
      const notice = { job: job.id, app: job.app, from: job.state.phase, to: next.state.phase };
      this.deps.logger.info("a job moves on", { ...notice, verb: job.task.verb, version: next.version });
      this.deps.onTransition?.(notice);
    }
    for (const result of ended) this.announce(result);
  }

  /** What a job's end means for the versions on disk, committed with it. */
  private recordVersions({ state, app, task }: Job, next: Job): void {
    const { phase } = next.state;
    // The engine's own lie where its installer has put them.
    if (isEnginePackage(next)) return;
    if (phase === "committed" && (state.phase === "activating" || state.phase === "probation")) {
      this.versions.markInstalled(state.app.directory, this.deps.clock.now());
    }
    if (phase === "rolled-back" && state.phase === "rolling-back" && state.to !== null) {
      this.versions.dropAfter(app, state.to.directory);
    }
    if (phase === "committed" && task.verb === "remove") this.versions.dropAll(app);
  }

  private announce(result: CommandResult): void {
    for (const listener of [...this.listeners]) {
      try {
        listener(result);
      } catch (error) {
        this.deps.logger.error("a listener for finished commands failed", { error });
      }
    }
  }
}

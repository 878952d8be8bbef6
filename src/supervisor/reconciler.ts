import type { Clock } from "../core/clock.ts";
import { InvariantError, unreachable } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { ProcessIdentity } from "../platform/process-table.ts";
import type { AppFiles } from "./app-files.ts";
import type { AppLocks } from "./app-locks.ts";
import { ConfNotes } from "./conf-notes.ts";
import type { DesiredApp } from "./desired-state.ts";
import { StrayProcessError } from "./errors.ts";
import { planApp, type Step } from "./planner.ts";
import type { Pm2Entry, Pm2Port } from "./pm2/index.ts";
import type { SupervisorConf } from "./supervisor-conf/index.ts";
import type { SupervisorSystem } from "./system.ts";

export interface ReconcilerDependencies {
  readonly desired: { get(name: string): DesiredApp | undefined };
  readonly files: AppFiles;
  readonly locks: AppLocks;
  readonly pm2: Pm2Port;
  readonly system: SupervisorSystem;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Reads the app's `supervisor.conf`. @throws SupervisorConfError */
  readonly conf: (app: DesiredApp) => SupervisorConf;
  readonly renderSpec: (app: DesiredApp, conf: SupervisorConf) => string;
  /** How pm2 starts the launcher of an app. */
  readonly launcherCommand: (directory: string) => readonly [string, ...string[]];
}

/** The launcher's exit statuses after which pm2 leaves it alone: finished, gave up. */
const stopExitCodes = [100, 102];
/** What a launcher needs beyond the app's own time to stop. */
const stopMarginMs = 3_000;
const killGraceMs = 5_000;
const defaultStopWaitSecs = 10;
/** Longer waits than a timer takes end at once instead. */
const maxWaitMs = 2 ** 31 - 1;

/** Carries out what the planner says, one app at a time under its lock. */
export class Reconciler {
  private readonly deps: ReconcilerDependencies;

  constructor(deps: ReconcilerDependencies) {
    this.deps = deps;
  }

  /** Whether one app is as it is wanted, as far as a list of pm2's entries tells: cheap, and promises nothing. */
  isSettled(name: string, entries: readonly Pm2Entry[]): boolean {
    return this.plan(name, this.deps.desired.get(name), entries).length === 0;
  }

  /**
   * Makes one app run as it is wanted, or not at all.
   * @throws SupervisorConfError, StrayProcessError, or an error of pm2's adapter
   */
  settle(name: string, signal: AbortSignal): Promise<void> {
    const { desired, locks, pm2, logger } = this.deps;
    return locks.run(name, async () => {
      const entries = await pm2.list();
      const app = desired.get(name);
      const steps = this.plan(name, app, entries);
      for (const step of steps) {
        signal.throwIfAborted();
        logger.debug("supervision step", { app: name, step });
        await this.take(step, name, app, signal);
      }
    });
  }

  private plan(name: string, app: DesiredApp | undefined, all: readonly Pm2Entry[]): readonly Step[] {
    const wanted = app && {
      generation: app.generation,
      run: app.kind === "long-running" && app.wanted === "running",
    };
    const entries = all.filter((entry) => entry.name === name);
    return planApp(wanted, { entries, ...this.deps.files.trace(name) });
  }

  private async take(
    step: Step,
    name: string,
    app: DesiredApp | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    switch (step.kind) {
      case "remove":
        // pm2 waits for its kill time-out, kills, and waits as long again.
        return this.deps.pm2.remove(step.id, Math.min(2 * this.stopTimeMs(name) + killGraceMs, maxWaitMs));
      case "end-strays":
        return this.endStrays(name, step.processes, signal);
      case "start":
        if (app === undefined) throw new InvariantError("an app that is not wanted was to be started");
        return this.start(app);
      case "forget":
        return this.deps.files.remove(name);
      default:
        return unreachable(step);
    }
  }

  private async start(app: DesiredApp): Promise<void> {
    const { conf: readConf, files, renderSpec, launcherCommand, pm2, logger } = this.deps;
    const conf = readConf(app);
    files.writeSpec(app.name, renderSpec(app, conf));
    new ConfNotes(this.deps.system).note(files.directory(app.name), conf);
    await pm2.start({
      name: app.name,
      generation: app.generation,
      command: launcherCommand(files.directory(app.name)),
      stopExitCodes,
      killTimeoutMs: Math.min(conf.stopWaitSecs * 1000 + stopMarginMs, maxWaitMs),
    });
    logger.info("app started", { app: app.name, version: app.version });
  }

  /** An orphaned launcher is asked first, for it knows how to stop its app; then all are killed. */
  private async endStrays(
    name: string,
    processes: readonly ProcessIdentity[],
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, files, logger, system } = this.deps;
    const { launcher, state } = files.trace(name);
    const [first] = processes;
    const isLauncher = launcher !== undefined && first?.pid === launcher.pid;
    logger.warn("processes of an earlier start are ended first", { app: name, processes });
    if (first !== undefined) {
      this.signal(first, isLauncher ? "SIGTERM" : (`SIG${state?.stopSignal ?? "TERM"}` as NodeJS.Signals));
    }
    const killAt = clock.monotonic() + this.stopTimeMs(name);
    for (;;) {
      const alive = processes.filter((process) => system.isSameProcessAlive(process));
      if (alive.length === 0) return;
      const now = clock.monotonic();
      if (now >= killAt + killGraceMs) {
        throw new StrayProcessError("a process of an earlier start can't be ended", {
          context: { app: name, processes: alive },
        });
      }
      if (now >= killAt) for (const process of alive) this.signal(process, "SIGKILL");
      await clock.sleep(25, signal);
    }
  }

  private stopTimeMs(name: string): number {
    const { state } = this.deps.files.trace(name);
    return (state?.stopWaitSecs ?? defaultStopWaitSecs) * 1000 + stopMarginMs;
  }

  private signal(target: ProcessIdentity, signal: NodeJS.Signals): void {
    if (!this.deps.system.isSameProcessAlive(target)) return;
    try {
      process.kill(target.pid, signal);
    } catch (error) {
      // Gone in the meantime is what was wanted; EPERM shows in the process' staying alive.
      this.deps.logger.debug("signal not delivered", { pid: target.pid, signal, error });
    }
  }
}

import type { Clock } from "../core/clock.ts";
import { InvariantError, unreachable } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { ProcessIdentity } from "../platform/process-table.ts";
import type { AppFiles } from "./app-files.ts";
import type { AppLocks } from "./app-locks.ts";
import { ConfNotes } from "./conf-notes.ts";
import type { DesiredApp } from "./desired-state.ts";
import { StrayProcessError } from "./errors.ts";
import { uptimeCs } from "./launcher/boot-clock.ts";
import type { AppLogs } from "./logd/app-logs.ts";
import type { UnitStreamsFiles } from "./logd/unit-streams-files.ts";
import { type ObservedProcess, planProcess, type Step } from "./planner.ts";
import type { Pm2Entry, Pm2Port } from "./pm2/index.ts";
import { type AppProcess, appOfKey, isProcessWanted, processesOf } from "./process-key.ts";
import type { SupervisorConf } from "./supervisor-conf/index.ts";
import type { SupervisorSystem } from "./system.ts";

export interface Launch {
  /** The launcher's file `spec`. */
  readonly spec: string;
  readonly logs: AppLogs;
}

export interface ReconcilerDependencies {
  readonly desired: { get(name: string): DesiredApp | undefined };
  readonly files: AppFiles;
  readonly streams: UnitStreamsFiles;
  readonly locks: AppLocks;
  readonly pm2: Pm2Port;
  readonly system: SupervisorSystem;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Reads the app's `supervisor.conf`. @throws SupervisorConfError */
  readonly conf: (app: DesiredApp) => SupervisorConf;
  /** How one process is to be launched. @throws SupervisorConfError when the file doesn't speak of it */
  readonly launch: (app: DesiredApp, conf: SupervisorConf, process: AppProcess) => Launch;
  /** How pm2 starts a launcher. */
  readonly launcherCommand: (directory: string) => readonly [string, ...string[]];
  /** After how long an app that gave up is tried again. 0: never. */
  readonly fatalRetryMs: number;
}

/** The launcher's exit statuses after which pm2 leaves it alone: finished, gave up. */
const stopExitCodes = [100, 102];
/** What a launcher needs beyond the app's own time to stop. */
const stopMarginMs = 3_000;
const killGraceMs = 5_000;
const defaultStopWaitSecs = 10;
/** Longer waits than a timer takes end at once instead. */
const maxWaitMs = 2 ** 31 - 1;

interface WantedProcess {
  readonly app: DesiredApp;
  readonly process: AppProcess;
}

/** Carries out what the planner says, one step at a time for each process of an app. */
export class Reconciler {
  private readonly deps: ReconcilerDependencies;

  constructor(deps: ReconcilerDependencies) {
    this.deps = deps;
  }

  /** Whether one process is as it is wanted, as far as a list of pm2's entries tells: cheap, and promises nothing. */
  isSettled(key: string, entries: readonly Pm2Entry[]): boolean {
    return this.plan(key, this.wanted(key), { entries, ...this.deps.files.trace(key) }).length === 0;
  }

  /**
   * Makes one process of an app run as it is wanted, or not at all.
   * @throws SupervisorConfError, StrayProcessError, or an error of pm2's adapter
   */
  settle(key: string, signal: AbortSignal): Promise<void> {
    const { files, locks, pm2, logger } = this.deps;
    return locks.run(key, async () => {
      // In this order: a launcher that pm2 starts only after it was asked is in neither, and no orphan of an earlier
      // start; one that ends for good in between has noted so.
      const { launcher, child } = files.trace(key);
      const entries = await pm2.list();
      const wanted = this.wanted(key);
      const steps = this.plan(key, wanted, { entries, launcher, child, state: files.trace(key).state });
      for (const step of steps) {
        signal.throwIfAborted();
        logger.debug("supervision step", { app: key, step });
        await this.take(step, key, wanted, signal);
      }
    });
  }

  private wanted(key: string): WantedProcess | undefined {
    const app = this.deps.desired.get(appOfKey(key));
    const process = app && processesOf(app).find((one) => one.key === key);
    return app && process && { app, process };
  }

  private plan(
    key: string,
    wanted: WantedProcess | undefined,
    { entries, state, launcher, child }: ObservedProcess,
  ): readonly Step[] {
    const { fatalRetryMs } = this.deps;
    const retryDue =
      fatalRetryMs > 0 && state !== undefined && (uptimeCs() - state.sinceCs) * 10 >= fatalRetryMs;
    return planProcess(
      wanted && {
        generation: wanted.app.generation,
        run: isProcessWanted(wanted.app, wanted.process),
        retryDue,
      },
      { entries: entries.filter((entry) => entry.name === key), state, launcher, child },
    );
  }

  private async take(
    step: Step,
    key: string,
    wanted: WantedProcess | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    switch (step.kind) {
      case "remove":
        // pm2 waits for its kill time-out, kills, and waits as long again.
        return this.deps.pm2.remove(step.id, Math.min(2 * this.stopTimeMs(key) + killGraceMs, maxWaitMs));
      case "end-strays":
        return this.endStrays(key, step.processes, signal);
      case "start":
        if (wanted === undefined) throw new InvariantError("an app that is not wanted was to be started");
        return this.start(wanted);
      case "forget":
        this.deps.streams.remove(key);
        return this.deps.files.remove(key);
      default:
        return unreachable(step);
    }
  }

  private async start({ app, process }: WantedProcess): Promise<void> {
    const { conf: readConf, files, launch, streams, launcherCommand, pm2, logger } = this.deps;
    const { key } = process;
    const conf = readConf(app);
    const { spec, logs } = launch(app, conf, process);
    files.writeSpec(key, spec);
    streams.write(key, { launcherFile: files.launcherFile(key), streams: logs.streams });
    new ConfNotes(this.deps.system).note(files.directory(key), conf);
    await pm2.start({
      name: key,
      generation: app.generation,
      priority: conf.priority,
      command: launcherCommand(files.directory(key)),
      stopExitCodes,
      killTimeoutMs: Math.min(conf.stopWaitSecs * 1000 + stopMarginMs, maxWaitMs),
    });
    logger.info("app started", { app: key, version: app.version });
  }

  /** An orphaned launcher is asked first, for it knows how to stop its app; then all are killed. */
  private async endStrays(
    key: string,
    processes: readonly ProcessIdentity[],
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, files, logger, system } = this.deps;
    const { launcher, state } = files.trace(key);
    const [first] = processes;
    const isLauncher = launcher !== undefined && first?.pid === launcher.pid;
    logger.warn("processes of an earlier start are ended first", { app: key, processes });
    if (first !== undefined && isLauncher) this.signal(first, "SIGTERM");
    else if (first !== undefined) {
      this.signal(first, `SIG${state?.stopSignal ?? "TERM"}` as NodeJS.Signals, state?.stopAsGroup);
    }
    const killAt = clock.monotonic() + this.stopTimeMs(key);
    for (;;) {
      const alive = processes.filter((process) => system.isSameProcessAlive(process));
      if (alive.length === 0) return;
      const now = clock.monotonic();
      if (now >= killAt + killGraceMs) {
        throw new StrayProcessError("a process of an earlier start can't be ended", {
          context: { app: key, processes: alive },
        });
      }
      if (now >= killAt) {
        for (const process of alive) {
          this.signal(process, "SIGKILL", state?.killAsGroup === true && process.pid !== launcher?.pid);
        }
      }
      await clock.sleep(25, signal);
    }
  }

  private stopTimeMs(key: string): number {
    const { state } = this.deps.files.trace(key);
    return (state?.stopWaitSecs ?? defaultStopWaitSecs) * 1000 + stopMarginMs;
  }

  /** @param group the app's process leads one: all in it get the signal */
  private signal(target: ProcessIdentity, signal: NodeJS.Signals, group = false): void {
    if (!this.deps.system.isSameProcessAlive(target)) return;
    try {
      process.kill(group ? -target.pid : target.pid, signal);
    } catch (error) {
      // Gone in the meantime is what was wanted; EPERM shows in the process' staying alive.
      this.deps.logger.debug("signal not delivered", { pid: target.pid, signal, error });
    }
  }
}

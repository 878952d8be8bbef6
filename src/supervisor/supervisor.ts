import { readFileSync } from "node:fs";
import { join } from "node:path";
import type Database from "better-sqlite3";
import type { AppHost, InstalledApp } from "../core/app-host.ts";
import type { AppStatus } from "../core/app-status.ts";
import type { Clock, Random } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { type RetrySchedule, retryDelayMs } from "../core/retry.ts";
import { AppFiles } from "./app-files.ts";
import { AppLocks } from "./app-locks.ts";
import { ConfNotes } from "./conf-notes.ts";
import { DesiredCopy } from "./desired-copy.ts";
import { type DesiredApp, DesiredState } from "./desired-state.ts";
import { NotSupervisedError, SupervisorConfError, UnknownAppError } from "./errors.ts";
import { logFile, renderLaunchSpec } from "./launcher/spec-file.ts";
import type { Pm2Port } from "./pm2/index.ts";
import { ProcessControl } from "./process-control.ts";
import { Reconciler } from "./reconciler.ts";
import { StatusBoard } from "./status-board.ts";
import { parseSupervisorConf, type SupervisorConf } from "./supervisor-conf/index.ts";
import type { SupervisorSystem } from "./system.ts";

export interface SupervisorDependencies {
  /** Holds `supervisorMigrations`' tables. */
  readonly db: Database.Database;
  readonly directories: {
    /** Durable: a second copy of what is wanted. Absolute. */
    readonly stateDir: string;
    /** Volatile: launchers' state, and the apps' environments (mode 0600). Absolute. */
    readonly runDir: string;
    /** Default place of apps' logs. Absolute. */
    readonly logDir: string;
  };
  /** `launcher.sh` as shipped; a copy is run, so that an update of the engine can replace it. */
  readonly launcherFile: string;
  readonly nodeFile: string;
  readonly pm2: Pm2Port;
  readonly system: SupervisorSystem;
  /** What apps inherit: the engine's own; its internal variables are taken out. */
  readonly environment: Readonly<Record<string, string>>;
  readonly hostName: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** The POSIX shell that runs launchers. */
  readonly shell?: readonly [string, ...string[]];
  /** How often everything is looked at, whether or not something happened. */
  readonly checkIntervalMs?: number;
  /** How soon a listener learns of a change. */
  readonly statusIntervalMs?: number;
}

const retrySchedule: RetrySchedule = { firstDelayMs: 250, maxDelayMs: 15_000, factor: 2, jitter: 0.5 };
/** A daemon that hangs can't start what crashes: it should not for longer than this. */
const wakeIntervalMs = 2_000;
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Keeps apps as they are wanted: the desired state is the engine's, the processes are pm2's. */
export class Supervisor implements AppHost {
  /** The same apps process by process, for `supervisorctl`. */
  readonly control: ProcessControl;
  private readonly deps: SupervisorDependencies;
  private readonly desired: DesiredState;
  private readonly copy: DesiredCopy;
  private readonly files: AppFiles;
  private readonly locks = new AppLocks();
  private readonly reconciler: Reconciler;
  private readonly board: StatusBoard;
  private readonly warned = new Set<string>();
  private running: AbortController | undefined;
  /** What goes on in the background; all of it ends soon after `running` is aborted. */
  private readonly background = new Set<Promise<unknown>>();
  private stopListening: () => void = () => undefined;

  constructor(deps: SupervisorDependencies) {
    const { db, clock, directories, system, pm2, logger } = deps;
    this.deps = deps;
    this.desired = new DesiredState(db, () => clock.now());
    this.copy = new DesiredCopy(join(directories.stateDir, "apps.json"), system);
    this.files = new AppFiles(directories.runDir, system);
    this.board = new StatusBoard({
      desired: this.desired,
      files: this.files,
      pm2,
      clock,
      logFile: (app) => this.logFileOf(app),
    });
    this.reconciler = new Reconciler({
      desired: this.desired,
      files: this.files,
      locks: this.locks,
      pm2,
      system,
      clock,
      logger,
      conf: (app) => this.readConf(app),
      renderSpec: (app, conf) => this.renderSpec(app, conf),
      launcherCommand: (directory) => this.launcherCommand(directory),
    });
    this.control = this.createControl();
  }

  /** Brings everything to what is wanted, and keeps it so. Resolves after the first look, even if pm2 is away. */
  async start(): Promise<void> {
    const { directories, launcherFile, pm2, system } = this.deps;
    system.ensureDirectory(directories.runDir, 0o755);
    system.ensureDirectory(directories.logDir, 0o755);
    system.ensureDirectory(join(directories.runDir, "apps"), 0o700);
    this.saveCopy();
    system.writeFileAtomic(this.launcherCopy, readFileSync(launcherFile, "utf8"), { mode: 0o644 });
    const running = new AbortController();
    this.running = running;
    // At once, not at the next look: apps are down from now on.
    this.stopListening = pm2.onDown(() => this.inBackground(this.reconcile(running.signal)));
    const settled = await this.reconcile(running.signal);
    this.inBackground(this.watch(running.signal, settled));
    this.inBackground(this.publish(running.signal));
    this.inBackground(this.keepAwake(running.signal));
  }

  /**
   * To be called before `start` when the database was lost, whole or in part: puts back the apps that it knew and
   * lacks now, so that those which run are left alone.
   */
  restoreLost(): readonly InstalledApp[] {
    const apps = this.copy.read().filter(({ name }) => this.desired.get(name) === undefined);
    this.desired.restore(apps);
    return apps;
  }

  /** Lets go; apps keep running under pm2 and their launchers. */
  async stop(): Promise<void> {
    this.abort();
    // Calls under way fail at once.
    this.deps.pm2.close();
    await this.backgroundEnded();
    this.deps.pm2.close();
  }

  validate(app: InstalledApp): void {
    if (app.kind === "long-running") this.readConf(app);
  }

  installed(name: string): InstalledApp | undefined {
    const app = this.desired.get(name);
    return app && { name: app.name, version: app.version, kind: app.kind, directory: app.directory };
  }

  async deploy(app: InstalledApp): Promise<void> {
    const conf = app.kind === "long-running" ? this.readConf(app) : undefined;
    this.desired.register(app, conf?.autostart === false ? "stopped" : "running");
    this.saveCopy();
    this.board.clearProblem(app.name);
    // Before start() and after stop() the wish alone is recorded; start() fulfils it.
    if (this.running !== undefined) await this.settleOrReport(app.name, this.running.signal);
  }

  async withdraw(name: string): Promise<void> {
    this.desired.forget(name);
    this.saveCopy();
    this.board.clearProblem(name);
    await this.settleNow(name);
  }

  /** Starts an app and keeps it wanted. One that is up, or on its way, is left alone. @throws UnknownAppError, NotSupervisedError */
  async startApp(name: string): Promise<void> {
    const app = this.supervised(name);
    const { state } = this.board.status(app);
    const isOnItsWay = ["STARTING", "RUNNING", "BACKOFF"].includes(state);
    if (app.wanted === "running" && isOnItsWay) return;
    this.desired.want(name, "running");
    this.saveCopy();
    this.board.clearProblem(name);
    await this.settleNow(name);
  }

  /** Stops an app until `startApp`, also across reboots and updates. @throws UnknownAppError, NotSupervisedError */
  async stopApp(name: string): Promise<void> {
    const app = this.supervised(name);
    if (app.wanted !== "stopped") this.desired.want(name, "stopped");
    this.saveCopy();
    this.board.clearProblem(name);
    await this.settleNow(name);
  }

  /** @throws UnknownAppError, NotSupervisedError */
  async restartApp(name: string): Promise<void> {
    this.supervised(name);
    this.desired.want(name, "running");
    this.saveCopy();
    this.board.clearProblem(name);
    await this.settleNow(name);
  }

  /** Ends every app and pm2's daemon, and lets go. What is wanted stays: `start` brings all back. */
  async stopAll(): Promise<void> {
    const { pm2 } = this.deps;
    this.abort();
    await this.backgroundEnded();
    await pm2.ensureUp();
    const entries = await pm2.list();
    await Promise.all(entries.map(({ id }) => pm2.remove(id, 120_000)));
    await pm2.shutDown();
  }

  async statuses(): Promise<readonly AppStatus[]> {
    return this.desired.all().map((app) => this.board.status(app));
  }

  async settled(name: string, timeoutMs: number, signal?: AbortSignal): Promise<AppStatus> {
    const { clock } = this.deps;
    const deadline = clock.monotonic() + timeoutMs;
    for (;;) {
      const app = this.desired.get(name);
      if (app === undefined) throw unknownApp(name);
      const status = this.board.status(app);
      const hasSettled =
        ["RUNNING", "EXITED", "FATAL", "STOPPED"].includes(status.state) && status.restarting !== true;
      const left = deadline - clock.monotonic();
      if (hasSettled || left <= 0) return status;
      await clock.sleep(Math.min(100, left), signal);
    }
  }

  /** Called with every status that changed. Returns how to stop listening. */
  onChange(listener: (status: AppStatus) => void): () => void {
    return this.board.onChange(listener);
  }

  private createControl(): ProcessControl {
    const { clock } = this.deps;
    return new ProcessControl({
      statuses: () => this.desired.all().map((app) => this.board.status(app)),
      conf: (app) => this.readConf(this.supervised(app)),
      confHasChanged: (app) =>
        new ConfNotes(this.deps.system).hasChanged(
          this.files.directory(app),
          this.readConf(this.supervised(app)),
        ),
      logFile: (app, _process, stream) => this.logFileOf(this.supervised(app), stream),
      child: (app) => this.files.trace(app).child,
      startApp: (app) => this.startApp(app),
      stopApp: (app) => this.stopApp(app),
      restartApp: (app) => this.restartApp(app),
      clock,
    });
  }

  private abort(): void {
    this.running?.abort();
    this.running = undefined;
    this.stopListening();
  }

  private inBackground(work: Promise<unknown>): void {
    this.background.add(work);
    void work.finally(() => this.background.delete(work));
  }

  private async backgroundEnded(): Promise<void> {
    await Promise.all(this.background);
    await this.locks.idle();
  }

  private saveCopy(): void {
    try {
      this.copy.save(this.desired.all());
    } catch (error) {
      // The database has it; the copy is written again at the next change or start.
      this.deps.logger.warn("the copy of what is wanted could not be written", {
        error: describeError(error),
      });
    }
  }

  /** @returns whether all is as wanted */
  private async reconcile(signal: AbortSignal): Promise<boolean> {
    const { pm2, logger } = this.deps;
    try {
      await pm2.ensureUp(signal);
      const entries = await pm2.list();
      const names = new Set([
        ...this.inOrderOfPriority(),
        ...entries.map(({ name }) => name),
        ...this.files.names(),
      ]);
      // Nearly always all is well: each app that looks so is not asked about again.
      const unsettled = [...names].filter((name) => !this.reconciler.isSettled(name, entries));
      for (const name of names) if (!unsettled.includes(name)) this.board.clearProblem(name);
      const results = await Promise.all(unsettled.map((name) => this.settleOrReport(name, signal)));
      return results.every((result) => result);
    } catch (error) {
      if (!signal.aborted) logger.error("supervision can't reach pm2", { error: describeError(error) });
      return false;
    }
  }

  private async settleNow(name: string): Promise<void> {
    if (this.running === undefined) return;
    await this.deps.pm2.ensureUp(this.running.signal);
    await this.reconciler.settle(name, this.running.signal);
  }

  private async settleOrReport(name: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.deps.pm2.ensureUp(signal);
      await this.reconciler.settle(name, signal);
      this.board.clearProblem(name);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const detail = describeError(error);
      // A wrong file stays wrong until somebody acts; the rest may pass by itself.
      if (error instanceof SupervisorConfError) this.board.setProblem(name, detail);
      const key = `${name}: ${detail}`;
      if (!this.warned.has(key)) this.deps.logger.error("an app is not as wanted", { app: name, detail });
      this.warned.add(key);
      return false;
    }
  }

  private async watch(signal: AbortSignal, firstResult: boolean): Promise<void> {
    const { clock, random, checkIntervalMs = 10_000 } = this.deps;
    let failures = firstResult ? 0 : 1;
    while (!signal.aborted) {
      const delay = failures === 0 ? checkIntervalMs : retryDelayMs(retrySchedule, failures, random);
      await clock.sleep(Math.min(delay, checkIntervalMs), signal).catch(() => undefined);
      if (!signal.aborted) failures = (await this.reconcile(signal)) ? 0 : failures + 1;
    }
  }

  private async keepAwake(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.deps.pm2.wake();
      await this.deps.clock.sleep(wakeIntervalMs, signal).catch(() => undefined);
    }
  }

  private async publish(signal: AbortSignal): Promise<void> {
    const { clock, statusIntervalMs = 1_000 } = this.deps;
    while (!signal.aborted) {
      this.board.publish();
      await clock.sleep(statusIntervalMs, signal).catch(() => undefined);
    }
  }

  /** supervisord starts lower priorities first. */
  private inOrderOfPriority(): readonly string[] {
    const priority = (app: DesiredApp): number => {
      try {
        return app.kind === "long-running" ? this.readConf(app).priority : 0;
      } catch (error) {
        // It can't be started anyway; settling it reports why.
        if (error instanceof SupervisorConfError) return 0;
        throw error;
      }
    };
    return this.desired
      .all()
      .map((app) => ({ name: app.name, priority: priority(app) }))
      .sort((one, other) => one.priority - other.priority)
      .map(({ name }) => name);
  }

  private supervised(name: string): DesiredApp {
    const app = this.desired.get(name);
    if (app === undefined) throw unknownApp(name);
    if (app.kind !== "long-running") {
      throw new NotSupervisedError(`${name} is a ${app.kind} app: there is nothing to start or stop`, {
        context: { app: name, kind: app.kind },
      });
    }
    return app;
  }

  private readConf(app: InstalledApp): SupervisorConf {
    const file = join(app.directory, "supervisor.conf");
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch (cause) {
      throw new SupervisorConfError("supervisor.conf can't be read", { context: { file }, cause });
    }
    const { environment, hostName, directories, logger } = this.deps;
    const conf = parseSupervisorConf({
      text,
      appName: app.name,
      here: app.directory,
      logDir: directories.logDir,
      hostName,
      environment,
    });
    for (const warning of conf.warnings) {
      const key = `${app.directory}: ${warning}`;
      if (!this.warned.has(key)) logger.warn("supervisor.conf", { app: app.name, warning });
      this.warned.add(key);
    }
    return conf;
  }

  private renderSpec(app: DesiredApp, conf: SupervisorConf): string {
    return renderLaunchSpec({
      appName: app.name,
      generation: app.generation,
      conf,
      baseEnvironment: this.deps.environment,
      logDir: this.deps.directories.logDir,
      nodeFile: this.deps.nodeFile,
    });
  }

  private logFileOf(app: DesiredApp, stream: "stdout" | "stderr" = "stdout"): string | undefined {
    try {
      const [process] = this.readConf(app).processes;
      return logFile(process[stream].target, stream, {
        logDir: this.deps.directories.logDir,
        appName: app.name,
      });
    } catch (error) {
      if (error instanceof SupervisorConfError) return undefined;
      throw error;
    }
  }

  /** Through `env -i`: pm2 puts dozens of its own variables into what it starts. */
  private launcherCommand(directory: string): readonly [string, ...string[]] {
    const { environment, shell = ["/bin/sh"] } = this.deps;
    const path = environment.PATH ?? defaultPath;
    return ["/usr/bin/env", "-i", `PATH=${path}`, ...shell, this.launcherCopy, directory];
  }

  private get launcherCopy(): string {
    return join(this.deps.directories.runDir, "launcher.sh");
  }
}

function unknownApp(name: string): UnknownAppError {
  return new UnknownAppError(`no app named ${JSON.stringify(name)} is installed`, { context: { app: name } });
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type Database from "better-sqlite3";
import type { AppHost, InstalledApp } from "../core/app-host.ts";
import type { AppState, AppStatus } from "../core/app-status.ts";
import type { Clock, Random } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { AppFiles } from "./app-files.ts";
import { AppLaunches } from "./app-launches.ts";
import { AppLocks } from "./app-locks.ts";
import { AppSettler } from "./app-settler.ts";
import { ConfNotes } from "./conf-notes.ts";
import { DesiredCopy } from "./desired-copy.ts";
import { type DesiredApp, DesiredState } from "./desired-state.ts";
import { NotSupervisedError, UnknownAppError } from "./errors.ts";
import { HealthMonitor } from "./health/monitor.ts";
import { ProbedProcesses } from "./health/probed-processes.ts";
import { uptimeCs } from "./launcher/boot-clock.ts";
import { LogDaemonKeeper, type LogDaemonSettings } from "./logd/keeper.ts";
import { logdLayout } from "./logd/layout.ts";
import { UnitStreamsFiles } from "./logd/unit-streams-files.ts";
import { type Pm2Port, removeAll } from "./pm2/index.ts";
import { ProcessControl } from "./process-control.ts";
import { processesOf } from "./process-key.ts";
import { Reconciler } from "./reconciler.ts";
import { StatusBoard } from "./status-board.ts";
import type { SupervisorSystem } from "./system.ts";
import { Vigil } from "./vigil.ts";

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
  readonly logDaemon: LogDaemonSettings;
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
  /** How often everything is looked at while something is under way or amiss. */
  readonly checkIntervalMs?: number;
  /** And while all is at rest: for what nobody notes. */
  readonly restIntervalMs?: number;
  /** Tells the fleet's operator of what nobody on the gateway may see. */
  readonly report?: (text: string) => void;
  /** Called when an app has come to be FATAL: its status tells more. */
  readonly onGaveUp?: () => void;
  /** How soon a listener learns of a change. */
  readonly statusIntervalMs?: number;
  /** After how long an app that is FATAL is tried again. 0: never. */
  readonly fatalRetryMs?: number;
}

/** Keeps apps as they are wanted: the desired state is the engine's, the processes are pm2's. */
export class Supervisor implements AppHost {
  /** The same apps process by process, for `supervisorctl`. */
  readonly control: ProcessControl;
  private readonly deps: SupervisorDependencies;
  private readonly desired: DesiredState;
  private readonly copy: DesiredCopy;
  private readonly files: AppFiles;
  private readonly launches: AppLaunches;
  private readonly locks = new AppLocks();
  private readonly health: HealthMonitor;
  private readonly settler: AppSettler;
  private readonly vigil: Vigil;
  private readonly logDaemon: LogDaemonKeeper;
  private readonly board: StatusBoard;
  private running: AbortController | undefined;
  /** What goes on in the background; all of it ends soon after `running` is aborted. */
  private readonly background = new Set<Promise<unknown>>();
  private stopListening: () => void = () => undefined;
  private isPublishing = false;

  constructor(deps: SupervisorDependencies) {
    const { db, clock, directories, system, pm2, logger, fatalRetryMs = 600_000 } = deps;
    this.deps = deps;
    this.desired = new DesiredState(db, () => clock.now());
    this.copy = new DesiredCopy(join(directories.stateDir, "apps.json"), system);
    this.files = new AppFiles(directories.runDir, system);
    const layout = logdLayout(directories.runDir);
    this.launches = new AppLaunches({
      logDir: directories.logDir,
      environment: deps.environment,
      hostName: deps.hostName,
      nodeFile: deps.nodeFile,
      launcherFile: this.launcherCopy,
      shell: deps.shell ?? ["/bin/sh"],
      layout,
      logger,
    });
    this.logDaemon = new LogDaemonKeeper({
      ...deps.logDaemon,
      layout,
      runDir: directories.runDir,
      logDir: directories.logDir,
      nodeFile: deps.nodeFile,
      path: this.launches.path,
      pm2,
      locks: this.locks,
      system,
      logger,
    });
    this.board = new StatusBoard({
      desired: this.desired,
      files: this.files,
      pm2,
      clock,
      health: (key) => this.health.health(key),
      logFiles: (app) => this.launches.logFiles(app),
    });
    const reconciler = new Reconciler({
      desired: this.desired,
      files: this.files,
      streams: new UnitStreamsFiles(layout, system),
      locks: this.locks,
      pm2,
      system,
      clock,
      logger,
      conf: (app) => this.launches.readConf(app),
      launch: (app, conf, process) => this.launches.launch(app, conf, process),
      launcherCommand: (directory) => this.launches.launcherCommand(directory),
      fatalRetryMs,
    });
    const { desired, files, launches, board, logDaemon } = this;
    const parts = { desired, files, launches, board, logDaemon, reconciler };
    this.settler = new AppSettler({ ...parts, pm2, clock, logger });
    this.vigil = this.createVigil(fatalRetryMs);
    this.health = this.createHealthMonitor();
    this.control = this.createControl();
  }

  /** Brings everything to what is wanted, and keeps it so. Resolves after the first look, even if pm2 is away. */
  async start(): Promise<void> {
    const { directories, launcherFile, pm2, system } = this.deps;
    system.ensureDirectory(directories.runDir, 0o755);
    system.ensureDirectory(directories.logDir, 0o755);
    system.ensureDirectory(join(directories.runDir, "apps"), 0o700);
    this.logDaemon.prepare();
    this.saveCopy();
    system.writeFileAtomic(this.launcherCopy, readFileSync(launcherFile, "utf8"), { mode: 0o644 });
    const running = new AbortController();
    this.running = running;
    const { vigil } = this;
    vigil.listen(running.signal);
    // At once, not at the next look: apps are down from now on.
    this.stopListening = pm2.onDown(() => this.inBackground(vigil.look(running.signal)));
    // Before the first look, which a stopped daemon would hold up.
    vigil.keepAwake();
    await vigil.look(running.signal);
    this.inBackground(vigil.keepLooking(running.signal));
    this.publishWhileHeard();
    this.inBackground(this.health.run(running.signal));
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
    if (app.kind === "long-running") this.launches.readConf(app);
  }

  installed(name: string): InstalledApp | undefined {
    const app = this.desired.get(name);
    return app && { name: app.name, version: app.version, kind: app.kind, directory: app.directory };
  }

  async deploy(app: InstalledApp): Promise<void> {
    const conf = app.kind === "long-running" ? this.launches.readConf(app) : undefined;
    const processes = conf?.processes.map(({ processName }) => processName) ?? [];
    this.desired.register({ ...app, processes }, conf?.autostart === false ? "stopped" : "running");
    this.saveCopy();
    this.board.clearProblem(app.name);
    // Before start() and after stop() the wish alone is recorded; start() fulfils it.
    if (this.running !== undefined) await this.settler.settleOrReport(app.name, this.running.signal);
    this.vigil.changed(app.name);
  }

  async withdraw(name: string): Promise<void> {
    this.desired.forget(name);
    this.saveCopy();
    this.board.clearProblem(name);
    await this.settleNow(name);
  }

  /**
   * Starts an app and keeps it wanted. What is up, or on its way, is left alone.
   * @throws UnknownAppError, NotSupervisedError
   */
  async startApp(name: string): Promise<void> {
    const app = this.supervised(name);
    const status = this.board.status(app);
    const { processes = [status] } = status;
    const ended = processes.filter(({ state }) => !isOnItsWay(state));
    if (app.wanted === "running" && ended.length === 0) return;
    if (app.wanted === "running" && ended.length < processes.length) {
      // Of several processes those that have come to an end are started, as if they had not been before.
      this.desired.setStoppedProcesses(name, []);
      this.saveCopy();
      for (const { key, name: process } of processesOf(app)) {
        if (ended.some((one) => one.name === process && one.restarting !== true)) this.files.forgetState(key);
      }
    } else {
      this.wantRunning(app);
    }
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
    this.wantRunning(this.supervised(name));
    this.board.clearProblem(name);
    await this.settleNow(name);
  }

  /** As `startApp`, for one process of an app. */
  async startProcess(name: string, process: string): Promise<void> {
    const app = this.supervised(name);
    const others = app.processes.filter((one) => one !== process);
    if (others.length === 0) return this.startApp(name);
    if (app.wanted === "stopped") {
      this.wantRunning(app);
      this.desired.setStoppedProcesses(name, others);
    } else {
      const key = processesOf(app).find((one) => one.name === process)?.key;
      const { processes = [] } = this.board.status(app);
      if (processes.some(({ name: one, state }) => one === process && isOnItsWay(state))) return;
      this.desired.setStoppedProcesses(
        name,
        app.stoppedProcesses.filter((one) => one !== process),
      );
      if (key !== undefined) this.files.forgetState(key);
    }
    this.saveCopy();
    this.board.clearProblem(name);
    await this.settleNow(name);
  }

  /** As `stopApp`, for one process of an app; the others are left alone. */
  async stopProcess(name: string, process: string): Promise<void> {
    const app = this.supervised(name);
    const stopped = app.processes.filter((one) => one === process || app.stoppedProcesses.includes(one));
    if (stopped.length >= app.processes.length || app.wanted === "stopped") return this.stopApp(name);
    this.desired.setStoppedProcesses(name, stopped);
    this.saveCopy();
    await this.settleNow(name);
  }

  /**
   * Ends every app, higher `priority` first, and pm2's daemon, and lets go. What is wanted stays: `start` brings all
   * back.
   */
  async stopAll(): Promise<void> {
    const { pm2 } = this.deps;
    this.abort();
    await this.backgroundEnded();
    await pm2.ensureUp();
    // The log daemon's is the lowest priority: it ends when all launchers have.
    await removeAll(pm2, await pm2.list());
    this.logDaemon.forgetRequests();
    await pm2.shutDown();
  }

  async statuses(): Promise<readonly AppStatus[]> {
    return this.vigil.review();
  }

  /** The same for a report: of apps at rest as their launchers noted it, without a look whether that is still so. */
  notedStatuses(): readonly AppStatus[] {
    return this.vigil.noted();
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
    const stop = this.board.onChange(listener);
    this.publishWhileHeard();
    return stop;
  }

  private createVigil(fatalRetryMs: number): Vigil {
    const { desired, board, settler } = this;
    const { directories, pm2, clock, random, logger, onGaveUp = () => undefined } = this.deps;
    const { checkIntervalMs = 10_000, restIntervalMs = 300_000 } = this.deps;
    return new Vigil({
      notesRoot: join(directories.runDir, "apps"),
      desired,
      board,
      pm2,
      settleAll: (signal) => settler.settleAll(signal),
      // A file that could not be read before may ask for a probe by now.
      onLooked: () => this.health.appsChanged(),
      onGaveUp,
      intervals: { unrestMs: checkIntervalMs, restMs: restIntervalMs, fatalRetryMs },
      clock,
      random,
      logger,
    });
  }

  private createHealthMonitor(): HealthMonitor {
    const { desired, launches, files, board } = this;
    const { system, clock, logger, report = () => undefined } = this.deps;
    const probed = new ProbedProcesses({ desired, launches, files, board });
    return new HealthMonitor({
      processes: () => probed.all(),
      probeCommand: (directory) => [...launches.launcherCommand(directory), "probe"],
      launcher: (key) => files.trace(key).launcher,
      report,
      system,
      uptimeCs,
      clock,
      logger,
    });
  }

  private createControl(): ProcessControl {
    const { launches, files } = this;
    const notes = new ConfNotes(this.deps.system);
    return new ProcessControl({
      statuses: () => this.desired.all().map((app) => this.board.status(app)),
      conf: (app) => launches.readConf(this.supervised(app)),
      confHasChanged: (name) => {
        const app = this.supervised(name);
        const conf = launches.readConf(app);
        return processesOf(app).some(({ key }) => notes.hasChanged(files.directory(key), conf));
      },
      child: (name, process) => {
        const found = processesOf(this.supervised(name)).find((one) => one.name === process);
        return found && files.trace(found.key).child;
      },
      startProcess: (app, process) => this.startProcess(app, process),
      stopProcess: (app, process) => this.stopProcess(app, process),
      restartApp: (app) => this.restartApp(app),
      clock: this.deps.clock,
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
    this.health.appsChanged();
    try {
      this.copy.save(this.desired.all());
    } catch (error) {
      // The database has it; the copy is written again at the next change or start.
      this.deps.logger.warn("the copy of what is wanted could not be written", {
        error: describeError(error),
      });
    }
  }

  private async settleNow(name: string): Promise<void> {
    try {
      if (this.running !== undefined) await this.settler.settle(name, this.running.signal);
    } finally {
      this.vigil.changed(name);
    }
  }

  /** Looks for changes as long as somebody listens. */
  private publishWhileHeard(): void {
    const { clock, statusIntervalMs = 1_000 } = this.deps;
    const signal = this.running?.signal;
    if (signal === undefined || this.isPublishing || !this.board.isHeard) return;
    this.isPublishing = true;
    const publish = async (): Promise<void> => {
      while (!signal.aborted && this.board.isHeard) {
        this.board.publish();
        await clock.sleep(statusIntervalMs, signal).catch(() => undefined);
      }
      this.isPublishing = false;
    };
    this.inBackground(publish());
  }

  /** Asks for a new start, of the processes that `supervisor.conf` names by now. */
  private wantRunning(app: DesiredApp): void {
    this.desired.want(app.name, "running");
    this.refreshProcesses(app);
    this.saveCopy();
  }

  private refreshProcesses(app: DesiredApp): void {
    const conf = this.launches.confIfReadable(app);
    const names = conf?.processes.map(({ processName }) => processName);
    if (names !== undefined && names.join("\n") !== app.processes.join("\n")) {
      this.desired.setProcesses(app.name, names);
    }
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

  private get launcherCopy(): string {
    return join(this.deps.directories.runDir, "launcher.sh");
  }
}

function isOnItsWay(state: AppState): boolean {
  return state === "STARTING" || state === "RUNNING" || state === "BACKOFF";
}

function unknownApp(name: string): UnknownAppError {
  return new UnknownAppError(`no app named ${JSON.stringify(name)} is installed`, { context: { app: name } });
}

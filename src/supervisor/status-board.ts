import type { AppStatus, ProcessHealth, ProcessStatus } from "../core/app-status.ts";
import type { Clock } from "../core/clock.ts";
import type { ProcessIdentity } from "../platform/process-table.ts";
import type { AppFiles } from "./app-files.ts";
import type { DesiredApp } from "./desired-state.ts";
import { groupStatus } from "./group-status.ts";
import { uptimeCs } from "./launcher/boot-clock.ts";
import type { Pm2Port } from "./pm2/index.ts";
import { type AppProcess, processesOf } from "./process-key.ts";
import { deriveStatus, type LogFiles, type Problem } from "./status.ts";

interface StatusBoardDependencies {
  readonly desired: { all(): readonly DesiredApp[] };
  readonly files: AppFiles;
  readonly pm2: Pick<Pm2Port, "isUp">;
  readonly clock: Clock;
  /** By the process' key; undefined when it isn't probed. */
  readonly health: (key: string) => ProcessHealth | undefined;
  /** By process name; none where `supervisor.conf` can't be read. */
  readonly logFiles: (app: DesiredApp) => ReadonlyMap<string, LogFiles>;
}

/** What is known of each app right now, without asking pm2, and who wants to hear of changes. */
export class StatusBoard {
  private readonly deps: StatusBoardDependencies;
  private readonly problems = new Map<string, Problem>();
  private readonly listeners = new Set<(status: AppStatus) => void>();
  private readonly logFiles = new Map<string, { key: string; files: ReadonlyMap<string, LogFiles> }>();
  private published = new Map<string, string>();

  constructor(deps: StatusBoardDependencies) {
    this.deps = deps;
  }

  status(app: DesiredApp): AppStatus {
    const { name, version, kind } = app;
    const processes = processesOf(app);
    const [first, ...others] = processes.map((process) => this.processStatus(app, process));
    if (first === undefined) {
      // Its installer was the whole run, and ended well, or it would not be registered.
      return { name, version, kind, state: "EXITED", sinceMs: app.installedAtMs, exitStatus: 0, restarts: 0 };
    }
    const all = [first, ...others] as const;
    return {
      ...(others.length === 0 ? { ...first, name } : groupStatus(name, all)),
      version,
      kind,
      ...((others.length > 0 || first.name !== name) && { processes: all }),
    };
  }

  setProblem(name: string, detail: string): void {
    if (this.problems.get(name)?.detail === detail) return;
    this.problems.set(name, { detail, sinceMs: this.deps.clock.now() });
  }

  clearProblem(name: string): void {
    this.problems.delete(name);
  }

  onChange(listener: (status: AppStatus) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  get isHeard(): boolean {
    return this.listeners.size > 0;
  }

  /** Tells the listeners what changed since the last time. */
  publish(): void {
    const now = new Map<string, string>();
    for (const app of this.deps.desired.all()) {
      const status = this.status(app);
      // Times are computed from two clocks, and wobble by a millisecond.
      const key = JSON.stringify(status, (field, value: unknown) =>
        ["sinceMs", "startedAtMs", "endedAtMs"].includes(field) ? undefined : value,
      );
      now.set(app.name, key);
      if (this.published.get(app.name) === key) continue;
      for (const listener of this.listeners) listener(status);
    }
    this.published = now;
  }

  private processStatus(app: DesiredApp, { key, name }: AppProcess): ProcessStatus {
    const { files, clock, pm2 } = this.deps;
    const { state, launcher, child } = files.trace(key);
    const status = deriveStatus({
      app,
      name,
      state,
      // One that has just begun has noted nothing: what is there was noted by the one before.
      launcherAlive: isSameProcess(launcher, state?.launcher),
      childAlive: child !== undefined,
      pm2Up: pm2.isUp(),
      problem: this.problems.get(app.name),
      logFiles: this.logFilesOf(app, name),
      nowMs: clock.now(),
      uptimeCs: uptimeCs(),
    });
    return { ...status, ...this.deps.health(key) };
  }

  /** Read from the package once per start that was asked for, not at every look. */
  private logFilesOf(app: DesiredApp, process: string): LogFiles {
    const key = `${app.generation} ${app.directory}`;
    let known = this.logFiles.get(app.name);
    if (known?.key !== key) {
      known = { key, files: this.deps.logFiles(app) };
      this.logFiles.set(app.name, known);
    }
    return known.files.get(process) ?? {};
  }
}

function isSameProcess(one: ProcessIdentity | undefined, other: ProcessIdentity | undefined): boolean {
  return one !== undefined && one.pid === other?.pid && one.startTicks === other.startTicks;
}

import { readFileSync } from "node:fs";
import type { AppStatus } from "../core/app-status.ts";
import type { Clock } from "../core/clock.ts";
import type { ProcessIdentity } from "../platform/process-table.ts";
import type { AppFiles } from "./app-files.ts";
import type { DesiredApp } from "./desired-state.ts";
import type { Pm2Port } from "./pm2/index.ts";
import { deriveStatus, type Problem } from "./status.ts";

interface StatusBoardDependencies {
  readonly desired: { all(): readonly DesiredApp[] };
  readonly files: AppFiles;
  readonly pm2: Pick<Pm2Port, "isUp">;
  readonly clock: Clock;
  readonly logFile: (app: DesiredApp) => string | undefined;
}

/** What is known of each app right now, without asking pm2, and who wants to hear of changes. */
export class StatusBoard {
  private readonly deps: StatusBoardDependencies;
  private readonly problems = new Map<string, Problem>();
  private readonly listeners = new Set<(status: AppStatus) => void>();
  private readonly logFiles = new Map<string, { readonly directory: string; readonly file?: string }>();
  private published = new Map<string, string>();

  constructor(deps: StatusBoardDependencies) {
    this.deps = deps;
  }

  status(app: DesiredApp): AppStatus {
    const { files, clock, pm2 } = this.deps;
    const { state, launcher, child } = files.trace(app.name);
    return deriveStatus({
      app,
      state,
      // One that has just begun has noted nothing: what is there was noted by the one before.
      launcherAlive: isSameProcess(launcher, state?.launcher),
      childAlive: child !== undefined,
      pm2Up: pm2.isUp(),
      problem: this.problems.get(app.name),
      logFile: app.kind === "long-running" ? this.logFile(app) : undefined,
      nowMs: clock.now(),
      uptimeCs: uptimeCs(),
    });
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

  /** Tells the listeners what changed since the last time. */
  publish(): void {
    if (this.listeners.size === 0) return;
    const now = new Map<string, string>();
    for (const app of this.deps.desired.all()) {
      const status = this.status(app);
      // Times are computed from two clocks, and wobble by a millisecond.
      const { sinceMs: _, startedAtMs: __, endedAtMs: ___, ...lasting } = status;
      const key = JSON.stringify(lasting);
      now.set(app.name, key);
      if (this.published.get(app.name) === key) continue;
      for (const listener of this.listeners) listener(status);
    }
    this.published = now;
  }

  /** Read from the package once per installed version, not at every look. */
  private logFile(app: DesiredApp): string | undefined {
    const known = this.logFiles.get(app.name);
    if (known?.directory === app.directory) return known.file;
    const file = this.deps.logFile(app);
    this.logFiles.set(app.name, { directory: app.directory, ...(file !== undefined && { file }) });
    return file;
  }
}

function isSameProcess(one: ProcessIdentity | undefined, other: ProcessIdentity | undefined): boolean {
  return one !== undefined && one.pid === other?.pid && one.startTicks === other.startTicks;
}

/** The clock that launchers note times by: centiseconds since boot. */
function uptimeCs(): number {
  return Math.round(Number(readFileSync("/proc/uptime", "latin1").split(" ")[0]) * 100);
}

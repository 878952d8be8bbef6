import type { AppFiles } from "../app-files.ts";
import type { AppLaunches } from "../app-launches.ts";
import type { DesiredApp } from "../desired-state.ts";
import { isProcessWanted, processesOf } from "../process-key.ts";
import type { StatusBoard } from "../status-board.ts";
import type { GweSettings } from "../supervisor-conf/index.ts";
import type { ProbedProcess } from "./monitor.ts";

interface ProbedProcessesDependencies {
  readonly desired: { all(): readonly DesiredApp[] };
  readonly launches: AppLaunches;
  readonly files: AppFiles;
  readonly board: StatusBoard;
}

/** Which processes have a probe, and how they are right now. */
export class ProbedProcesses {
  private readonly deps: ProbedProcessesDependencies;
  private readonly known = new Map<
    string,
    { readonly start: string; readonly settings: GweSettings | undefined }
  >();

  constructor(deps: ProbedProcessesDependencies) {
    this.deps = deps;
  }

  all(): readonly ProbedProcess[] {
    return this.deps.desired
      .all()
      .filter(({ kind, wanted }) => kind === "long-running" && wanted === "running")
      .flatMap((app) => this.ofApp(app));
  }

  private ofApp(app: DesiredApp): readonly ProbedProcess[] {
    const settings = this.settings(app);
    if (settings === undefined) return [];
    const { board, files } = this.deps;
    const status = board.status(app);
    return processesOf(app).flatMap((process) => {
      if (!isProcessWanted(app, process)) return [];
      const now = status.processes?.find(({ name }) => name === process.name) ?? status;
      return {
        key: process.key,
        directory: files.directory(process.key),
        state: now.state,
        pid: now.pid,
        url: settings.health_url,
        intervalS: settings.health_interval,
        timeoutS: settings.health_timeout,
        maxFailures: settings.health_failures,
      };
    });
  }

  /** Of the file as it was when the app was last started; undefined when it asks for no probe. */
  private settings(app: DesiredApp): GweSettings | undefined {
    const start = `${app.generation} ${app.directory}`;
    let known = this.known.get(app.name);
    if (known?.start !== start) {
      const conf = this.deps.launches.confIfReadable(app);
      // Looked at again, then: it may be readable by the next time.
      if (conf === undefined) return undefined;
      const hasProbe = conf.gwe.health_command !== undefined || conf.gwe.health_url !== undefined;
      known = { start, settings: hasProbe ? conf.gwe : undefined };
      this.known.set(app.name, known);
    }
    return known.settings;
  }
}

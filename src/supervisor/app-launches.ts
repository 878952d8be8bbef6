import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { InstalledApp } from "../core/app-host.ts";
import type { Logger } from "../core/logger.ts";
import type { DesiredApp } from "./desired-state.ts";
import { SupervisorConfError } from "./errors.ts";
import { renderLaunchSpec } from "./launcher/spec-file.ts";
import { type AppLogs, appLogs } from "./logd/app-logs.ts";
import type { LogdLayout } from "./logd/layout.ts";
import { type AppProcess, processesOf } from "./process-key.ts";
import type { Launch } from "./reconciler.ts";
import type { LogFiles } from "./status.ts";
import { type ProcessSettings, parseSupervisorConf, type SupervisorConf } from "./supervisor-conf/index.ts";

interface AppLaunchesDependencies {
  readonly logDir: string;
  /** What apps inherit. */
  readonly environment: Readonly<Record<string, string>>;
  readonly hostName: string;
  readonly nodeFile: string;
  /** Where the copy of `launcher.sh` lies that is run. Absolute. */
  readonly launcherFile: string;
  /** The POSIX shell that runs launchers. */
  readonly shell: readonly [string, ...string[]];
  readonly layout: LogdLayout;
  readonly logger: Logger;
}

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What an app's `supervisor.conf` asks for, and what its launchers are told of it. */
export class AppLaunches {
  private readonly deps: AppLaunchesDependencies;
  private readonly warned = new Set<string>();

  constructor(deps: AppLaunchesDependencies) {
    this.deps = deps;
  }

  /** @throws SupervisorConfError */
  readConf(app: InstalledApp): SupervisorConf {
    const file = join(app.directory, "supervisor.conf");
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch (cause) {
      throw new SupervisorConfError("supervisor.conf can't be read", { context: { file }, cause });
    }
    const { environment, hostName, logDir, logger } = this.deps;
    const conf = parseSupervisorConf({
      text,
      appName: app.name,
      here: app.directory,
      logDir,
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

  /** As `readConf`, but undefined where that fails: for what is told, not done. */
  confIfReadable(app: InstalledApp): SupervisorConf | undefined {
    try {
      return this.readConf(app);
    } catch (error) {
      if (error instanceof SupervisorConfError) return undefined;
      throw error;
    }
  }

  /** @throws SupervisorConfError when the file no longer speaks of this process */
  launch(app: DesiredApp, conf: SupervisorConf, process: AppProcess): Launch {
    const { environment, layout, nodeFile } = this.deps;
    const settings = settingsOf(conf, process, app);
    const logs = this.logs(conf, process, settings);
    const spec = renderLaunchSpec({
      generation: app.generation,
      conf,
      process: settings,
      baseEnvironment: environment,
      logs,
      logRequests: layout.requests,
      nodeFile,
    });
    return { spec, logs };
  }

  /** Each process' logs, by its name. */
  logFiles(app: DesiredApp): ReadonlyMap<string, LogFiles> {
    const conf = this.confIfReadable(app);
    if (conf === undefined) return new Map();
    const files = processesOf(app).flatMap((process) => {
      const settings = findSettings(conf, process, app);
      if (settings === undefined) return [];
      const { stdout, stderr } = this.logs(conf, process, settings);
      const own: LogFiles = {
        ...(stdout.file !== undefined && { logFile: stdout.file }),
        ...(stderr?.file !== undefined && { stderrLogFile: stderr.file }),
      };
      return [[process.name, own] as const];
    });
    return new Map(files);
  }

  /** Through `env -i`: pm2 puts dozens of its own variables into what it starts. */
  launcherCommand(directory: string): readonly [string, ...string[]] {
    const { shell, launcherFile } = this.deps;
    return ["/usr/bin/env", "-i", `PATH=${this.path}`, ...shell, launcherFile, directory];
  }

  /** Where launchers find their tools. */
  get path(): string {
    return this.deps.environment.PATH ?? defaultPath;
  }

  private logs(conf: SupervisorConf, { key, app }: AppProcess, process: ProcessSettings): AppLogs {
    const { logDir, layout } = this.deps;
    return appLogs({ conf, process, unit: key, appName: app, logDir, layout });
  }
}

function settingsOf(conf: SupervisorConf, process: AppProcess, app: DesiredApp): ProcessSettings {
  const settings = findSettings(conf, process, app);
  if (settings !== undefined) return settings;
  throw new SupervisorConfError(
    `supervisor.conf no longer has a process ${process.name}: restart ${app.name} to have its processes as the file says`,
    { context: { app: app.name, process: process.name } },
  );
}

function findSettings(
  conf: SupervisorConf,
  { name }: AppProcess,
  app: DesiredApp,
): ProcessSettings | undefined {
  // Registered by an engine that knew of one process only, whatever its name.
  if (app.processes.length === 0) return conf.processes[0];
  return conf.processes.find(({ processName }) => processName === name);
}

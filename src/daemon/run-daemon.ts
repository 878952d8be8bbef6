import {
  type Config,
  type LogLevel as ConfigLogLevel,
  checkPaths,
  gatewayGroup,
  loadConfig,
  type Paths,
} from "../config/index.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { redactor } from "../core/redact.ts";
import { ensureDirectory } from "../platform/files.ts";
import { groupId } from "../platform/groups.ts";
import { acquireInstanceLock } from "../platform/instance-lock.ts";
import { openCikStore } from "./cik-store.ts";
import { Cloud } from "./cloud.ts";
import { ControlServer } from "./control-server.ts";
import { EngineControl } from "./engine-control.ts";
import { Hosting } from "./hosting.ts";
import { isJournalStream, type LogLevel, openLogging } from "./logging.ts";
import { noContent } from "./no-content.ts";
import { pm2UnitOf, startPm2Unit } from "./pm2-unit.ts";

export interface RunDaemonOptions {
  readonly paths: Paths;
  /** One check-in and its jobs, then the end. */
  readonly once?: boolean;
  /** For this run, in place of what `Engine.config` says. */
  readonly logLevelOverride?: ConfigLogLevel;
  /** Absolute paths of tarballs to install; without `once` the run ends when they are done. */
  readonly installFiles?: readonly string[];
}

const levels: Readonly<Record<ConfigLogLevel, LogLevel>> = {
  DEBUG: "debug",
  INFO: "info",
  WARNING: "warn",
  ERROR: "error",
  CRITICAL: "silent",
};

/** Exit status after an unexpected error: a service manager starts the engine again. */
const crashed = 70;

/**
 * Runs one engine and resolves to the exit status when it has stopped: by SIGTERM or SIGINT, or, with `once` or
 * `installFiles`, when that is done. Apps keep running.
 *
 * @throws ConfigError when the configuration does not let it run
 * @throws LockedError when an engine of this home runs already
 */
export async function runDaemon(options: RunDaemonOptions): Promise<number> {
  const { paths } = options;
  // pm2's message library uses old interfaces of Node; nobody at a gateway can act on that.
  process.noDeprecation = true;
  const config = loadConfig(paths);
  checkPaths(paths);
  // Apps and tools of other users pass through it to the control socket.
  ensureDirectory(paths.runDir, 0o755);
  const lock = acquireInstanceLock(paths.engineLock, {
    heldMessage: `an engine runs already (it holds ${paths.engineLock}): 'gwe status' shows it`,
  });
  const ciks = openCikStore(paths);
  const redact = redactor(() => ciks.knownSecrets());
  const isJournal = isJournalStream(process.stderr.fd);
  ensureDirectory(paths.logDir);
  const logging = openLogging({
    level: levels[options.logLevelOverride ?? config.engine.logLevel],
    file: isJournal ? undefined : paths.engineLog,
    journal: isJournal,
    redact,
  });
  const { logger } = logging;
  const stop = stopSignal(logger);
  const pm2Unit = pm2UnitOf(paths);
  const hosting = new Hosting({ paths, config, redact, pm2Unit, logger });
  const crash = watchForCrashes(logger, (text) => hosting.reportTrouble(text));
  const cloud = needsMurano(options, config)
    ? new Cloud({ paths, config, ciks, hosting, logger })
    : undefined;
  const control = new ControlServer({
    socketPath: paths.controlSocket,
    groupId: groupId(gatewayGroup),
    target: new EngineControl({ paths, config, hosting, cloud }),
    logger,
  });
  try {
    await control.start();
    if (pm2Unit !== undefined) await startPm2Unit(pm2Unit, logger);
    hosting.start(cloud?.api ?? noContent, stop);
    return await Promise.race([perform(options, hosting, cloud, stop), crash.then(() => crashed)]);
  } finally {
    await control.stop();
    await hosting.stop();
    cloud?.close();
    await logging.close();
    lock.release();
  }
}

/** A factory installs packages before a gateway knows its product. */
function needsMurano(options: RunDaemonOptions, config: Config): boolean {
  const onlyInstalls = options.installFiles !== undefined && options.once !== true;
  return !onlyInstalls || config.device.vendor !== undefined;
}

async function perform(
  { once, installFiles }: RunDaemonOptions,
  hosting: Hosting,
  cloud: Cloud | undefined,
  stop: AbortSignal,
): Promise<number> {
  const installed = installFiles === undefined ? 0 : await install(installFiles, hosting);
  if (cloud === undefined || (installFiles !== undefined && once !== true)) return installed;
  if (once === true) return Math.max(installed, await cloud.runOnce(stop));
  await cloud.run(stop);
  return 0;
}

async function install(files: readonly string[], hosting: Hosting): Promise<number> {
  const results = await hosting.ota.installFiles(files);
  for (const { name, version, status, output } of results) {
    process.stdout.write(
      `${output}${output === "" || output.endsWith("\n") ? "" : "\n"}${name} ${version}: ${status}\n`,
    );
  }
  return results.every(({ status }) => status === "installed") ? 0 : 1;
}

function stopSignal(logger: Logger): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.once(name, () => {
      logger.info("stopping", { signal: name });
      stop.abort();
    });
  }
  // A terminal that closes must not take the engine of a running gateway down half-way.
  process.on("SIGHUP", () => undefined);
  return stop.signal;
}

/** Resolves when something unforeseen was thrown: it is logged, told to Murano at the next start, and the engine ends. */
function watchForCrashes(logger: Logger, report: (text: string) => void): Promise<void> {
  return new Promise((resolve) => {
    const onCrash = (error: unknown): void => {
      const stack = error instanceof Error ? error.stack : undefined;
      logger.error("unexpected error, the engine ends", { error: describeError(error), stack });
      report(`unexpected error of the engine: ${describeError(error)}`);
      resolve();
    };
    process.once("uncaughtException", onCrash);
    process.once("unhandledRejection", onCrash);
  });
}

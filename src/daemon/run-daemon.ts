import {
  type CikStore,
  type Config,
  type LogLevel as ConfigLogLevel,
  checkPaths,
  engineBuiltAtMs,
  gatewayGroup,
  loadConfig,
  type Paths,
  RemoteSettings,
} from "../config/index.ts";
import type { Logger } from "../core/logger.ts";
import { type Redact, redactor } from "../core/redact.ts";
import { type OtaLimits, packageRole } from "../ota/index.ts";
import { BootClock, hasHardwareClock } from "../platform/boot-clock.ts";
import { ensureDirectory } from "../platform/files.ts";
import { groupId } from "../platform/groups.ts";
import { acquireInstanceLock } from "../platform/instance-lock.ts";
import { bootId } from "../platform/process-table.ts";
import { serviceNotifier } from "../platform/service-notifier.ts";
import { systemClock } from "../platform/system-clock.ts";
import { openCikStore } from "./cik-store.ts";
import { ClockKeeper } from "./clock-keeper.ts";
import { Cloud } from "./cloud.ts";
import { configIo } from "./config-io.ts";
import { ControlServer } from "./control-server.ts";
import { CrashWatch } from "./crash-watch.ts";
import { createEngineUpdate } from "./create-engine-update.ts";
import { Endings } from "./endings.ts";
import { EngineControl } from "./engine-control.ts";
import { engineMetrics } from "./engine-metrics.ts";
import { EngineSettings } from "./engine-settings.ts";
import { Hosting } from "./hosting.ts";
import { IdleMemory, processMemory } from "./idle-memory.ts";
import { isJournalStream, type Logging, logLevelOf, openLogging } from "./logging.ts";
import { noContent } from "./no-content.ts";
import { pm2UnitOf, startPm2Unit } from "./pm2-unit.ts";
import { QueueHost } from "./queue-host.ts";
import { ServiceWatchdog } from "./service-watchdog.ts";
import { StopSignals } from "./stop-signals.ts";

export interface RunDaemonOptions {
  readonly paths: Paths;
  /** One check-in and its jobs, then the end. */
  readonly once?: boolean;
  /** For this run, in place of what `Engine.config` says. */
  readonly logLevelOverride?: ConfigLogLevel;
  /** Absolute paths of tarballs to install; without `once` the run ends when they are done. */
  readonly installFiles?: readonly string[];
  /** Apps to remove; likewise. */
  readonly removeApps?: readonly string[];
  /** For tests, in place of the update pipeline's defaults. */
  readonly otaLimits?: Partial<OtaLimits>;
}

/** How one run of the engine came to its end: for good, or to begin anew with other settings. */
type Ending = { readonly kind: "ended"; readonly status: number } | { readonly kind: "restart" };

/**
 * Runs one engine and resolves to the exit status when it has stopped: by SIGTERM or SIGINT, or, with `once` or
 * `installFiles`, when that is done. Apps keep running. A second signal ends the process at once: whatever was under
 * way is in the journal.
 *
 * @throws ConfigError when the configuration does not let it run
 * @throws LockedError when an engine of this home runs already
 */
export async function runDaemon(options: RunDaemonOptions): Promise<number> {
  // pm2's message library uses old interfaces of Node; nobody at a gateway can act on that.
  process.noDeprecation = true;
  // Pending sleeps do not keep a process alive, and neither may its end be cut short.
  const alive = setInterval(() => undefined, 1_000_000);
  const signals = new StopSignals();
  signals.listen();
  const context = { signals, cikStores: [] };
  try {
    let ending = await runOnce(options, context);
    // What was to be done on this gateway is in the journal by now.
    const { installFiles: _files, removeApps: _apps, ...again } = options;
    while (ending.kind === "restart" && !signals.received.aborted) ending = await runOnce(again, context);
    return ending.kind === "ended" ? ending.status : 0;
  } finally {
    signals.ignore();
    clearInterval(alive);
  }
}

/** What outlives a run of the engine in this process. */
interface ProcessContext {
  readonly signals: StopSignals;
  /** Of all runs: a CIK that one of them knew stays a secret. */
  readonly cikStores: CikStore[];
}

async function runOnce(options: RunDaemonOptions, context: ProcessContext): Promise<Ending> {
  const endings = new Endings();
  try {
    return await runUntilStopped(options, context, endings);
  } finally {
    await endings.run();
  }
}

async function runUntilStopped(
  options: RunDaemonOptions,
  { signals, cikStores }: ProcessContext,
  endings: Endings,
): Promise<Ending> {
  const { paths } = options;
  const config = loadConfig(paths);
  const files = new RemoteSettings({ paths, io: configIo, running: config });
  checkPaths(paths);
  // Apps and tools of other users pass through it to the control socket.
  ensureDirectory(paths.runDir, 0o755);
  const lock = acquireInstanceLock(paths.engineLock, {
    heldMessage: `an engine runs already (it holds ${paths.engineLock}): 'gwe status' shows it`,
  });
  endings.add("the lock", () => lock.release());
  const ciks = openCikStore(paths);
  cikStores.push(ciks);
  const started: { queue?: QueueHost; cloud?: Cloud } = {};
  const redact = redactor(() => [
    ...cikStores.flatMap((store) => store.knownSecrets()),
    ...(started.queue?.secrets() ?? []),
  ]);
  const logging = startLogging(options, config, redact);
  const { logger } = logging;
  endings.add("the log", () => logging.close());
  const stop = new AbortController();
  const watchdog = startWatchdog(options, stop.signal, () => started.cloud, logger);
  endings.add("the watchdog", () => watchdog?.stop());
  endings.add("signals", signals.tell(stop, logger));
  const crash = new CrashWatch(logger, stop);
  endings.add("the watch for crashes", () => crash.end());
  const pm2Unit = pm2UnitOf(paths);
  const idleMemory = new IdleMemory(processMemory);
  endings.add("the care for memory", () => idleMemory.stop());
  const restart = Promise.withResolvers<Ending>();
  const settings = worksLocally(options)
    ? undefined
    : new EngineSettings({ files, clock: systemClock, restart: () => restart.resolve({ kind: "restart" }) });
  const engineUpdate =
    settings && isService(options)
      ? createEngineUpdate(
          {
            paths,
            settings,
            restart: () => restart.resolve({ kind: "ended", status: 0 }),
            report: (text) => hosting.reportTrouble(text),
          },
          logger,
        )
      : undefined;
  const keeper = new ClockKeeper({
    wall: systemClock,
    boot: new BootClock(),
    bootId: bootId(),
    hasHardwareClock: hasHardwareClock(),
    builtAtMs: engineBuiltAtMs,
    logger: logger.child({ part: "clock" }),
  });
  const hosting = new Hosting({
    paths,
    config,
    redact,
    clock: keeper.clock,
    settings,
    engineUpdate,
    otaLimits: options.otaLimits,
    pm2Unit,
    logger,
    onAppGaveUp: () => started.cloud?.loop.hastenForNews(),
    onCorruption: (error) => crash.happened(error),
  });
  endings.add("hosting", () => hosting.stop());
  keeper.restore(hosting.facts.knownTime());
  crash.reportTo((text) => hosting.reportTrouble(text));
  const cloud = needsMurano(options, config)
    ? new Cloud({
        paths,
        config,
        ciks,
        hosting,
        keeper,
        settings,
        onAttempted: () => idleMemory.lookSoon(),
        queueHealth: () => started.queue?.health(),
        redact,
        logger,
      })
    : undefined;
  if (cloud !== undefined) started.cloud = cloud;
  endings.add("the connection to Murano", () => cloud?.close());
  if (hasQueue(options, cloud)) {
    const reportTrouble = (text: string): void => hosting.reportTrouble(text);
    const queue = new QueueHost({
      paths,
      config,
      cloud,
      keeper,
      engineMetrics: () => engineMetrics(hosting, cloud),
      loggerAt: (level) => logging.withLevel(level),
      reportTrouble,
    });
    started.queue = queue;
    endings.add("the queue", () => queue.stop());
    queue.start();
  }
  const control = new ControlServer({
    socketPath: paths.controlSocket,
    groupId: groupId(gatewayGroup),
    target: new EngineControl({
      paths,
      config,
      hosting,
      cloud,
      keeper,
      queueUptimeMs: () => started.queue?.uptimeMs(),
    }),
    queue: started.queue?.control,
    logger,
  });
  endings.add("the control socket", () => control.stop());
  await control.start();
  if (pm2Unit !== undefined) await startPm2Unit(pm2Unit, logger);
  hosting.start(cloud?.content ?? noContent, stop.signal);
  engineUpdate?.start(
    stop.signal,
    hosting.ota.jobs().some(({ app }) => packageRole(app) === "engine"),
  );
  await watchdog?.ready();
  const work = Promise.race([crash.watch(perform(options, hosting, cloud, stop.signal)), crash.ended]);
  const ended = work.then((status): Ending => ({ kind: "ended", status }));
  const ending = await Promise.race([ended, restart.promise]);
  // What still runs must not go on with what is closed next.
  stop.abort();
  if (ending.kind === "restart") logger.info("the engine starts anew, to have new settings take effect");
  await ended;
  return ending;
}

/** Runs until it is stopped, as what starts at boot does. */
function isService(options: RunDaemonOptions): boolean {
  return options.once !== true && !worksLocally(options);
}

/** What is being ended must have ended within this; longer than the pipeline gives an installer. */
const longestEndingMs = 120_000;

/** Undefined where no systemd listens, and for commands that run beside the service. */
function startWatchdog(
  options: RunDaemonOptions,
  stop: AbortSignal,
  cloud: () => Cloud | undefined,
  logger: Logger,
): ServiceWatchdog | undefined {
  const notifier = isService(options) ? serviceNotifier(process.env, process.pid) : undefined;
  if (notifier === undefined) return undefined;
  let stoppedAtMs: number | undefined;
  stop.addEventListener("abort", () => {
    stoppedAtMs = systemClock.monotonic();
  });
  const trouble = (): string | undefined => {
    if (cloud()?.loop.isStuck() === true) return "the check-in loop hangs";
    const isLate = stoppedAtMs !== undefined && systemClock.monotonic() - stoppedAtMs > longestEndingMs;
    return isLate ? "the engine does not come to its end" : undefined;
  };
  const watchdog = new ServiceWatchdog({ notifier, trouble, clock: systemClock, logger });
  watchdog.start();
  return watchdog;
}

function startLogging(
  { paths, logLevelOverride }: RunDaemonOptions,
  config: Config,
  redact: Redact,
): Logging {
  const isJournal = isJournalStream(process.stderr.fd);
  ensureDirectory(paths.logDir);
  return openLogging({
    level: logLevelOf(logLevelOverride ?? config.engine.logLevel),
    file: isJournal ? undefined : paths.engineLog,
    journal: isJournal,
    redact,
  });
}

/** A factory installs packages before a gateway knows its product. */
function needsMurano(options: RunDaemonOptions, config: Config): boolean {
  return !worksLocally(options) || config.device.vendor !== undefined;
}

/** A run with an end of its own serves no apps: they would be refused again as soon as it is over. */
function hasQueue(options: RunDaemonOptions, cloud: Cloud | undefined): cloud is Cloud {
  return cloud !== undefined && !worksLocally(options) && options.once !== true;
}

/** There is something to do on this gateway and then no more. */
function worksLocally({ installFiles, removeApps, once }: RunDaemonOptions): boolean {
  return (installFiles !== undefined || removeApps !== undefined) && once !== true;
}

async function perform(
  options: RunDaemonOptions,
  hosting: Hosting,
  cloud: Cloud | undefined,
  stop: AbortSignal,
): Promise<number> {
  const done = worksLocally({ ...options, once: false })
    ? await orStopped(workLocally(options, hosting), stop, interrupted)
    : 0;
  if (cloud === undefined || worksLocally(options)) return done;
  if (options.once === true) {
    return Math.max(done, await orStopped(cloud.runOnce(stop), stop, interrupted));
  }
  await cloud.run(stop);
  return 0;
}

/** Exit status of a run with an end of its own that was stopped before it. */
const interrupted = 1;

/** Work that may wait for what never comes once the engine stops. */
function orStopped<T>(work: Promise<T>, stop: AbortSignal, otherwise: T): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  if (stop.aborted) resolve(otherwise);
  stop.addEventListener("abort", () => resolve(otherwise), { once: true });
  return Promise.race([work, promise]);
}

/** @returns 0 when all of it was done */
async function workLocally(
  { installFiles, removeApps = [] }: RunDaemonOptions,
  { ota }: Hosting,
): Promise<number> {
  const results = installFiles === undefined ? [] : [...(await ota.installFiles(installFiles))];
  for (const app of removeApps) results.push(...(await ota.removeApp(app)));
  for (const { name, version, status, output } of results) {
    process.stdout.write(
      `${output}${output === "" || output.endsWith("\n") ? "" : "\n"}${[name, version].filter((part) => part !== "").join(" ")}: ${status}\n`,
    );
  }
  return results.every(({ status }) => status === "installed" || status === "removed") ? 0 : 1;
}

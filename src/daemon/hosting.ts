import { hostname } from "node:os";
import { join } from "node:path";
import type { Config, Paths } from "../config/index.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { Redact } from "../core/redact.ts";
import type { DeviceApi } from "../device-client/index.ts";
import { EngineFacts, engineMigrations, Outbox } from "../engine/index.ts";
import { defaultOtaLimits, Ota, otaMigrations } from "../ota/index.ts";
import { installationPath } from "../platform/installation-path.ts";
import { openDatabase, type SqliteDatabase } from "../platform/sqlite.ts";
import { systemClock } from "../platform/system-clock.ts";
import { Pm2Adapter, Supervisor, supervisorMigrations } from "../supervisor/index.ts";
import { inheritedEnvironment } from "./inherited-environment.ts";
import { otaPlatform, supervisorSystem } from "./platform-ports.ts";
import { pm2DaemonSettings } from "./pm2-daemon.ts";

export interface HostingOptions {
  readonly paths: Paths;
  readonly config: Config;
  readonly redact: Redact;
  /** The systemd unit that runs pm2's daemon; undefined where the engine itself starts it. */
  readonly pm2Unit: string | undefined;
  readonly logger: Logger;
}

/** What works without Murano: the stores, the apps under supervision, and the update pipeline. */
export class Hosting {
  readonly db: SqliteDatabase;
  readonly outbox: Outbox;
  readonly facts: EngineFacts;
  readonly supervisor: Supervisor;
  private readonly options: HostingOptions;
  private pipeline: Ota | undefined;
  private supervising: Promise<void> = Promise.resolve();

  constructor(options: HostingOptions) {
    const { paths, logger } = options;
    this.options = options;
    const { db, corruptFileSetAside } = openDatabase({
      file: paths.gatewayDb,
      migrations: [...engineMigrations, ...otaMigrations, ...supervisorMigrations],
      logger,
      now: systemClock.now,
    });
    this.db = db;
    this.outbox = new Outbox(db);
    this.facts = new EngineFacts(db);
    this.supervisor = createSupervisor(options, db);
    if (corruptFileSetAside !== undefined) {
      const kept = this.supervisor.restoreLost().map(({ name, version }) => `${name} ${version}`);
      this.reportTrouble(
        `the engine's database was corrupt and a fresh one was started; the old is ${corruptFileSetAside}; ` +
          `apps known from a copy: ${kept.join(", ") || "none"}`,
      );
    }
  }

  get ota(): Ota {
    if (this.pipeline === undefined) throw new TypeError("hosting is not started");
    return this.pipeline;
  }

  /** Brings apps up and goes on with what the journal holds. Does not wait for either. */
  start(content: Pick<DeviceApi, "contentInfo" | "download">, stop: AbortSignal): void {
    const { logger } = this.options;
    this.pipeline = createOta(this.options, this, content);
    this.supervising = this.supervisor.start().catch((error: unknown) => {
      logger.error("supervision could not be started", { error: describeError(error) });
    });
    // Packages that were being activated need supervision.
    void this.supervising.then(() => {
      if (!stop.aborted) this.pipeline?.start();
    });
  }

  /** Resolves after the first look at the apps, so that a report can tell their true states. */
  firstLook(): Promise<void> {
    return this.supervising;
  }

  /** Apps keep running under pm2. */
  async stop(): Promise<void> {
    await this.supervising;
    await this.pipeline?.stop();
    await this.supervisor.stop();
    this.db.close();
  }

  /** Tells Murano of something unexpected with the next check-in. Never throws: it is called when things are broken. */
  reportTrouble(text: string): void {
    const { redact, logger } = this.options;
    try {
      // What keeps happening must not fill the disk.
      if (this.outbox.waitingResults() > maxWaitingResults) return;
      const now = systemClock.now();
      this.outbox.put(
        "fetch_status",
        JSON.stringify({ error: redact(text), at: new Date(now).toISOString() }),
        `trouble-${now}`,
      );
    } catch (error) {
      logger.error("trouble could not be recorded", { text, error: describeError(error) });
    }
  }
}

const maxWaitingResults = 200;

function createSupervisor({ paths, pm2Unit, logger }: HostingOptions, db: SqliteDatabase): Supervisor {
  const log = logger.child({ part: "supervisor" });
  const daemon = pm2DaemonSettings(paths);
  return new Supervisor({
    db,
    directories: { stateDir: paths.libDir, runDir: paths.runDir, logDir: paths.logDir },
    launcherFile: join(installationPath(), "dist/launcher.sh"),
    nodeFile: process.execPath,
    pm2: new Pm2Adapter({
      ...daemon,
      daemonOwner: pm2Unit === undefined ? "engine" : "systemd",
      system: supervisorSystem,
      clock: systemClock,
      logger: log,
    }),
    system: supervisorSystem,
    environment: daemon.environment,
    hostName: hostname(),
    logger: log,
    clock: systemClock,
    random: Math.random,
  });
}

function createOta(
  { paths, config, redact, logger }: HostingOptions,
  { db, outbox, supervisor }: Hosting,
  content: Pick<DeviceApi, "contentInfo" | "download">,
): Ota {
  const { engine } = config;
  return new Ota({
    db,
    content,
    host: supervisor,
    outbox,
    clock: systemClock,
    random: Math.random,
    logger: logger.child({ part: "ota" }),
    redact,
    directories: { packages: paths.packagesDir, apps: paths.appsDir },
    limits: {
      ...defaultOtaLimits,
      installerTimeoutMs: engine.installerTimeoutS * 1000,
      installerOutputBytes: engine.installerOutputKib * 1024,
      reserveBytes: engine.diskReserveMib * 1024 * 1024,
      downloadBytesPerSecond: engine.downloadBytesPerSecond,
    },
    fetchStatusFormat: engine.fetchStatusFormat,
    environment: inheritedEnvironment(),
    platform: otaPlatform,
    nodeFile: process.execPath,
    workerFile: join(installationPath(), "dist/ota-worker.js"),
  });
}

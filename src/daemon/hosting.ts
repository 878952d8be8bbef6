import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Config, Paths } from "../config/index.ts";
import type { Clock } from "../core/clock.ts";
import { describeError, InvariantError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { Redact } from "../core/redact.ts";
import type { DeviceApi } from "../device-client/index.ts";
import { EngineFacts, Outbox } from "../engine/index.ts";
import { defaultOtaLimits, type EngineUpdateHost, Ota, type OtaLimits } from "../ota/index.ts";
import { installationPath } from "../platform/installation-path.ts";
import { openDatabase, type Replacement, type SqliteDatabase } from "../platform/sqlite.ts";
import { systemClock } from "../platform/system-clock.ts";
import { Pm2Adapter, Supervisor, supervisorAfterSalvage } from "../supervisor/index.ts";
import { describeReplacement } from "./describe-replacement.ts";
import type { EngineSettings } from "./engine-settings.ts";
import { gatewayMigrations } from "./gateway-migrations.ts";
import { inheritedEnvironment } from "./inherited-environment.ts";
import { otaPlatform, servicePlatform, supervisorSystem } from "./platform-ports.ts";
import { pm2DaemonSettings } from "./pm2-daemon.ts";

export interface HostingOptions {
  readonly paths: Paths;
  readonly config: Config;
  readonly redact: Redact;
  /** The engine's own time. */
  readonly clock: Clock;
  /** Undefined in a run that makes no check-ins. */
  readonly settings: EngineSettings | undefined;
  /** Likewise. */
  readonly engineUpdate: EngineUpdateHost | undefined;
  /** For tests, in place of the defaults. */
  readonly otaLimits?: Partial<OtaLimits> | undefined;
  /** The systemd unit that runs pm2's daemon; undefined where the engine itself starts it. */
  readonly pm2Unit: string | undefined;
  readonly logger: Logger;
  /** An app will not run without help: worth an early check-in. */
  readonly onAppGaveUp: () => void;
  /** A query met damage: the engine must end, and the next start repairs what it can. */
  readonly onCorruption: (error: unknown) => void;
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
  private hasLooked = false;
  private isStopping = false;

  constructor(options: HostingOptions) {
    const { paths, logger } = options;
    this.options = options;
    const { db, replaced } = openDatabase({
      file: paths.gatewayDb,
      migrations: gatewayMigrations,
      afterSalvage: supervisorAfterSalvage,
      logger,
      now: systemClock.now,
      onCorruption: options.onCorruption,
    });
    this.db = db;
    this.outbox = new Outbox(db);
    this.facts = new EngineFacts(db);
    this.supervisor = createSupervisor(options, db, (text) => this.reportTrouble(text));
    if (replaced !== undefined) {
      const lost = isRegistryWhole(replaced) ? [] : this.supervisor.restoreLost();
      const copies = lost.map(({ name, version }) => `${name} ${version}`).join(", ");
      const copied = copies === "" ? "" : `; apps known from a copy: ${copies}`;
      this.reportTrouble(describeReplacement("engine's database", replaced) + copied);
    }
  }

  get ota(): Ota {
    if (this.pipeline === undefined) throw new InvariantError("hosting is not started");
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
    this.supervising = this.supervising.then(() => {
      this.hasLooked = true;
      if (!stop.aborted && !this.isStopping) this.pipeline?.start();
    });
  }

  /** Resolves after the first look at the apps, so that a report can tell their true states. */
  firstLook(): Promise<void> {
    return this.supervising;
  }

  /** Apps keep running under pm2. The database is closed, whatever else fails. */
  async stop(): Promise<void> {
    this.isStopping = true;
    try {
      // The pipeline is started after the first look, and needs supervision to end what it is at.
      if (!this.hasLooked) await this.supervisor.stop();
      await this.supervising;
      await this.pipeline?.stop();
      await this.supervisor.stop();
    } finally {
      this.db.close();
    }
  }

  /** Tells Murano of something unexpected with the next check-in. Never throws: it is called when things are broken. */
  reportTrouble(text: string): void {
    const { redact, clock, logger } = this.options;
    try {
      // What keeps happening must not fill the disk.
      if (this.outbox.waitingResults() > maxWaitingResults) return;
      const now = clock.now();
      this.outbox.put(
        "fetch_status",
        JSON.stringify({ error: redact(text), at: new Date(now).toISOString() }),
        `trouble-${now}-${createHash("sha256").update(text).digest("hex").slice(0, 8)}`,
      );
    } catch (error) {
      logger.error("trouble could not be recorded", { text, error: describeError(error) });
    }
  }
}

const maxWaitingResults = 200;

/** Then it is right, and a copy beside it could only be older. */
function isRegistryWhole({ tables }: Replacement): boolean {
  const registry = tables?.find(({ table }) => table === "supervised_apps");
  return registry !== undefined && !registry.damaged && registry.refused === 0;
}

function createSupervisor(
  { paths, config, pm2Unit, logger, onAppGaveUp }: HostingOptions,
  db: SqliteDatabase,
  report: (text: string) => void,
): Supervisor {
  const log = logger.child({ part: "supervisor" });
  const daemon = pm2DaemonSettings(paths);
  return new Supervisor({
    db,
    directories: { stateDir: paths.libDir, runDir: paths.runDir, logDir: paths.logDir },
    launcherFile: join(installationPath(), "dist/launcher.sh"),
    nodeFile: process.execPath,
    logDaemon: {
      programFile: join(installationPath(), "dist/logd.js"),
      budgetBytes: config.engine.appLogsMib * 1024 * 1024,
    },
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
    // Launchers count from the boot: how long ago something was, by the system's clock, is right whatever that says.
    clock: systemClock,
    random: Math.random,
    report,
    onGaveUp: onAppGaveUp,
    fatalRetryMs: config.engine.fatalRetryS * 1000,
  });
}

function createOta(
  { paths, config, redact, clock, settings, engineUpdate, otaLimits, logger }: HostingOptions,
  { db, outbox, supervisor }: Hosting,
  content: Pick<DeviceApi, "contentInfo" | "download">,
): Ota {
  const { engine } = config;
  return new Ota({
    db,
    content,
    host: supervisor,
    outbox,
    clock,
    random: Math.random,
    logger: logger.child({ part: "ota" }),
    redact,
    directories: { packages: paths.packagesDir, apps: paths.appsDir, scripts: paths.scriptsDir },
    keysDirectory: paths.keysDir,
    requireSignature: engine.requireSignature,
    allowDowngrade: engine.allowDowngrade,
    limits: {
      ...defaultOtaLimits,
      installerTimeoutMs: engine.installerTimeoutS * 1000,
      installerOutputBytes: engine.installerOutputKib * 1024,
      probationMs: engine.probationS * 1000,
      keptVersions: engine.keptVersions,
      keptBytes: engine.keptVersionsMib * 1024 * 1024,
      reserveBytes: engine.diskReserveMib * 1024 * 1024,
      downloadBytesPerSecond: engine.downloadBytesPerSecond,
      ...otaLimits,
    },
    settings,
    engineUpdate,
    fetchStatusFormat: engine.fetchStatusFormat,
    environment: inheritedEnvironment(),
    platform: process.env.GWE_PM2_UNIT === undefined ? otaPlatform : servicePlatform,
    nodeFile: process.execPath,
    workerFile: join(installationPath(), "dist/ota-worker.js"),
    attendantFile: join(installationPath(), "dist/attendant.sh"),
  });
}

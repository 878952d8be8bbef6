import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Config, Paths } from "../config/index.ts";
import type { InstalledApp } from "../core/app-host.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { Redact } from "../core/redact.ts";
import type { DeviceApi } from "../device-client/index.ts";
import { EngineFacts, engineMigrations, Outbox } from "../engine/index.ts";
import { defaultOtaLimits, Ota, otaMigrations } from "../ota/index.ts";
import { installationPath } from "../platform/installation-path.ts";
import { openDatabase, type Replacement, type SqliteDatabase } from "../platform/sqlite.ts";
import { systemClock } from "../platform/system-clock.ts";
import { Pm2Adapter, Supervisor, supervisorAfterSalvage, supervisorMigrations } from "../supervisor/index.ts";
import { installedButUnknown } from "./lost-apps.ts";
import { otaPlatform, supervisorSystem } from "./platform-ports.ts";

export interface HostingOptions {
  readonly paths: Paths;
  readonly config: Config;
  readonly redact: Redact;
  readonly logger: Logger;
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
  private readonly lostApps: readonly InstalledApp[] = [];
  private hasLooked = false;
  private isStopping = false;

  constructor(options: HostingOptions) {
    const { paths, logger } = options;
    this.options = options;
    const { db, replaced } = openDatabase({
      file: paths.gatewayDb,
      migrations: [...engineMigrations, ...otaMigrations, ...supervisorMigrations],
      afterSalvage: supervisorAfterSalvage,
      logger,
      now: systemClock.now,
      onCorruption: options.onCorruption,
    });
    this.db = db;
    this.outbox = new Outbox(db);
    this.facts = new EngineFacts(db);
    this.supervisor = createSupervisor(options, db);
    if (replaced !== undefined) {
      this.reportTrouble(describeReplacement(replaced));
      this.lostApps = installedButUnknown(db, replaced);
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
    this.supervising = this.startSupervision().catch((error: unknown) => {
      logger.error("supervision could not be started", { error: describeError(error) });
    });
    // Packages that were being activated need supervision.
    this.supervising = this.supervising.then(() => {
      this.hasLooked = true;
      if (!stop.aborted && !this.isStopping) this.pipeline?.start();
    });
  }

  /** Apps that damage took from the registry come back first: what is not registered is ended. */
  private async startSupervision(): Promise<void> {
    for (const app of this.lostApps) {
      const what = `${app.name} ${app.version}, lost from the damaged database,`;
      try {
        await this.supervisor.deploy(app);
        this.reportTrouble(`${what} is registered again`);
      } catch (error) {
        this.reportTrouble(`${what} could not be registered again: ${describeError(error)}`);
      }
    }
    await this.supervisor.start();
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
    const { redact, logger } = this.options;
    try {
      // What keeps happening must not fill the disk.
      if (this.outbox.waitingResults() > maxWaitingResults) return;
      const now = systemClock.now();
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

function describeReplacement({ reason, setAside, tables }: Replacement): string {
  const rows = tables
    ?.filter(({ copied, refused, damaged }) => copied > 0 || refused > 0 || damaged)
    .map(({ table, copied, refused, damaged }) => {
      const lost = damaged ? ", the rest could not be read" : refused > 0 ? `, ${refused} spoilt` : "";
      return `${table} ${copied}${lost}`;
    });
  const what = rows === undefined ? "" : `; rows brought over: ${rows.join("; ") || "none"}`;
  return `the engine's database was damaged (${reason}) and a fresh one was started; the old is ${setAside}${what}`;
}

function createSupervisor({ paths, logger }: HostingOptions, db: SqliteDatabase): Supervisor {
  const environment = inheritedEnvironment();
  const log = logger.child({ part: "supervisor" });
  const pm2Package = createRequire(import.meta.url).resolve("pm2/package.json");
  return new Supervisor({
    db,
    directories: { runDir: paths.runDir, logDir: paths.logDir },
    launcherFile: join(installationPath(), "dist/launcher.sh"),
    nodeFile: process.execPath,
    pm2: new Pm2Adapter({
      home: paths.pm2Home,
      daemonFile: join(pm2Package, "../lib/Daemon.js"),
      nodeFile: process.execPath,
      environment,
      daemonOwner: process.env.GWE_PM2_UNIT === undefined ? "engine" : "systemd",
      system: supervisorSystem,
      clock: systemClock,
      logger: log,
    }),
    system: supervisorSystem,
    environment,
    hostName: hostname(),
    logger: log,
    clock: systemClock,
    random: Math.random,
  });
}

/**
 * What apps and installers inherit: the engine's own environment, with `gwe` and `gdc` to be found on its PATH, since
 * scripts in the field call them by name. Each feature takes out what is not for its programs.
 */
function inheritedEnvironment(): Readonly<Record<string, string>> {
  const entries = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const path = process.env.PATH ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  return { ...Object.fromEntries(entries), PATH: `${path}:${join(installationPath(), "bin")}` };
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
    },
    fetchStatusFormat: engine.fetchStatusFormat,
    environment: inheritedEnvironment(),
    platform: otaPlatform,
    nodeFile: process.execPath,
    workerFile: join(installationPath(), "dist/ota-worker.js"),
  });
}

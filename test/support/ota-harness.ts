import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../src/core/logger.ts";
import { type Redact, redactor } from "../../src/core/redact.ts";
import type { Migration } from "../../src/core/sql.ts";
import { otaPlatform } from "../../src/daemon/platform-ports.ts";
import type { FetchStatusReport } from "../../src/ota/fetch-status.ts";
import {
  defaultOtaLimits,
  Ota,
  type OtaDependencies,
  type OtaLimits,
  otaMigrations,
} from "../../src/ota/index.ts";
import { installationPath } from "../../src/platform/installation-path.ts";
import { openDatabase, type SqliteDatabase } from "../../src/platform/sqlite.ts";
import { systemClock } from "../../src/platform/system-clock.ts";
import { FakeContent } from "./ota-content.ts";
import { FakeAppHost } from "./ota-fake-host.ts";

const outboxMigration: Migration = {
  id: "test/0001-outbox",
  sql: "CREATE TABLE test_outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT UNIQUE, alias TEXT, value TEXT) STRICT",
};

export const secretCik = "0123456789abcdef0123456789abcdef01234567";

/** The unpacking worker; child processes of a test are told where their parent has put it. */
export const workerFile = process.env.GWE_TEST_OTA_WORKER ?? (await bundledWorker());

// A bundle of this lies elsewhere.
const attendantFile = join(installationPath(), "src/platform/attendant/attendant.sh");

async function bundledWorker(): Promise<string> {
  const { bundleProgram } = await import("./program-bundle.ts");
  return bundleProgram("src/ota/worker/main.ts");
}

export type OtaOverrides = Partial<Omit<OtaDependencies, "limits">> & {
  readonly limits?: Partial<OtaLimits>;
};

/** A pipeline on real files, a real database and real processes; Murano and supervision are fakes of their ports. */
export class OtaHarness {
  readonly home: string;
  readonly content = new FakeContent();
  readonly host: FakeAppHost;
  readonly db: SqliteDatabase;
  readonly ota: Ota;
  private readonly ownsHome: boolean;

  constructor(overrides: OtaOverrides = {}, home?: string) {
    this.ownsHome = home === undefined;
    this.home = home ?? mkdtempSync(join(tmpdir(), "gwe-ota-"));
    mkdirSync(this.home, { recursive: true });
    this.host = new FakeAppHost(join(this.home, "host.json"));
    this.db = openDatabase({
      file: join(this.home, "gateway.db"),
      migrations: [...otaMigrations, outboxMigration],
      logger: silentLogger,
      now: Date.now,
    }).db;
    this.ota = new Ota({
      ...this.dependencies(),
      ...overrides,
      limits: { ...quickLimits, ...overrides.limits },
    });
  }

  /** The trusted keys; not there until a test makes it. */
  get keys(): string {
    return join(this.home, "keys");
  }

  get apps(): string {
    return join(this.home, "apps");
  }

  /** Puts packages into the content area, sends one command for them and waits for the end of all work. */
  async install(packages: Readonly<Record<string, Buffer>>): Promise<FetchStatusReport> {
    for (const [name, content] of Object.entries(packages)) this.content.files.set(name, content);
    await this.send({ install: Object.keys(packages).map((name) => ({ name })) });
    const report = this.reports().at(-1);
    if (report === undefined) throw new TypeError("no fetch_status was sent");
    return report;
  }

  async send(command: unknown): Promise<void> {
    const text = typeof command === "string" ? command : JSON.stringify(command);
    const { key } = this.ota.accept({ text });
    this.ota.acknowledgeCleared(key);
    await this.ota.idle();
  }

  reports(): readonly FetchStatusReport[] {
    return this.reportTexts().map((text) => JSON.parse(text) as FetchStatusReport);
  }

  reportTexts(): readonly string[] {
    return this.db.prepare<[], string>("SELECT value FROM test_outbox ORDER BY seq").pluck().all();
  }

  /** A version that was installed properly before, with an `install.sh` and what else it may hold. */
  async pretendKept(name: string, version: string, scripts: Readonly<Record<string, string>>): Promise<void> {
    const directory = join(this.apps, name, version);
    mkdirSync(directory, { recursive: true });
    for (const [script, text] of Object.entries(scripts)) {
      writeFileSync(join(directory, script), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    }
    writeFileSync(join(directory, "supervisor.conf"), "[supervisord]\ncommand=/bin/sleep 60\n");
    this.db
      .prepare(`INSERT INTO ota_versions SELECT ?, ?, ?, coalesce(max(job), -100) + 1, 0 FROM ota_versions`)
      .run(directory, name, version);
    await this.host.deploy({ name, version, kind: "long-running", directory });
  }

  /** An app that runs already, as an earlier installation would have left it. */
  async pretendInstalled(name: string, version: string): Promise<void> {
    const directory = join(this.apps, name, version);
    mkdirSync(directory, { recursive: true });
    await this.host.deploy({ name, version, kind: "long-running", directory });
  }

  /** Names below `apps/<app>`, hidden ones included: what an installation left. */
  versionsOf(app: string): readonly string[] {
    try {
      return readdirSync(join(this.apps, app)).sort();
    } catch {
      return [];
    }
  }

  async dispose(): Promise<void> {
    await this.ota.stop();
    this.db.close();
    if (this.ownsHome) rmSync(this.home, { recursive: true, force: true });
  }

  private dependencies(): Omit<OtaDependencies, "limits"> {
    const redact: Redact = redactor(() => [secretCik]);
    const insert = this.db.prepare("INSERT OR IGNORE INTO test_outbox (key, alias, value) VALUES (?, ?, ?)");
    return {
      db: this.db,
      content: this.content,
      host: this.host,
      outbox: { put: (alias, value, key) => void insert.run(key, alias, value) },
      clock: systemClock,
      random: () => 0.5,
      logger: silentLogger,
      redact,
      directories: {
        packages: join(this.home, "packages"),
        apps: this.apps,
        scripts: join(this.home, "scripts"),
      },
      keysDirectory: this.keys,
      requireSignature: "if-keys",
      allowDowngrade: true,
      settings: undefined,
      engineUpdate: undefined,
      fetchStatusFormat: "json",
      environment: process.env,
      platform: otaPlatform,
      nodeFile: process.execPath,
      workerFile,
      attendantFile,
    };
  }
}

/** For tests in which time is not the point. */
export const quickProbation = {
  probationMs: 20,
  probationPollMs: 5,
  healthAttempts: 1,
  healthRetryMs: 5,
  settleTimeoutMs: 200,
} as const;

const quickLimits: OtaLimits = {
  ...defaultOtaLimits,
  installerTimeoutMs: 20_000,
  installerKillAfterMs: 300,
  stopGraceMs: 300,
  downloadDeadlineMs: 60_000,
  downloadRetry: { firstDelayMs: 1, maxDelayMs: 4, factor: 2, jitter: 0.5 },
};

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { AppKind, AppStatus } from "../../../src/core/app-status.ts";
import { type Logger, silentLogger } from "../../../src/core/logger.ts";
import { supervisorSystem as system } from "../../../src/daemon/platform-ports.ts";
import { type ProcessIdentity, processStartTicks } from "../../../src/platform/process-table.ts";
import { openDatabase } from "../../../src/platform/sqlite.ts";
import { systemClock } from "../../../src/platform/system-clock.ts";
import {
  type LogDaemonSettings,
  Pm2Adapter,
  Supervisor,
  supervisorMigrations,
} from "../../../src/supervisor/index.ts";
import { patienceMs } from "../../support/eventually.ts";

const daemonFile = createRequire(import.meta.url).resolve("pm2/lib/Daemon.js");
const programFile = join(import.meta.dirname, "../../../dist/logd.js");
const launcherFile = join(import.meta.dirname, "../../../src/supervisor/launcher/launcher.sh");

/** Where launchers and apps find their tools: `GWE_TEST_PATH` tries a directory of BusyBox links. */
export const testPath = process.env.GWE_TEST_PATH ?? process.env.PATH ?? "/usr/bin:/bin";

/** The shell that runs the launchers: `GWE_TEST_SHELL="/bin/busybox sh"` tries another. */
const [shellProgram = "/bin/sh", ...shellArguments] = (process.env.GWE_TEST_SHELL ?? "/bin/sh").split(" ");
const testShell = [shellProgram, ...shellArguments] as const;

export interface GatewayOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly logger?: Logger;
  /** Takes what the supervisor has to tell the fleet's operator. */
  readonly report?: (text: string) => void;
  readonly onGaveUp?: () => void;
  readonly fatalRetryMs?: number;
  readonly hostName?: string;
  readonly pingTimeoutMs?: number;
  /** How often everything is looked at, while something is under way and while all is at rest. */
  readonly checkIntervalMs?: number;
  readonly restIntervalMs?: number;
}

/** One gateway under a temporary directory: real database, real pm2 daemon, real apps. */
export class Gateway {
  readonly root = mkdtempSync(join(tmpdir(), "gwe-sup-"));
  private readonly options: GatewayOptions;
  private readonly open: { supervisor: Supervisor; close(): void }[] = [];

  constructor(options: GatewayOptions = {}) {
    this.options = options;
  }

  get pm2Home(): string {
    return join(this.root, "pm2");
  }

  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  adapter(daemonOwner: "engine" | "systemd" = "engine"): Pm2Adapter {
    return new Pm2Adapter({
      home: this.pm2Home,
      daemonFile,
      nodeFile: process.execPath,
      environment: { PATH: process.env.PATH ?? "/usr/bin:/bin" },
      daemonOwner,
      system,
      clock: systemClock,
      logger: this.options.logger ?? silentLogger,
      pingTimeoutMs: this.options.pingTimeoutMs ?? 2_000,
      startTimeoutMs: daemonOwner === "engine" ? 10_000 : 300,
    });
  }

  /** A supervisor on this gateway's state, as one engine process has it; not started. */
  engine(logDaemon: Partial<LogDaemonSettings> = {}): Supervisor {
    const { db } = openDatabase({
      file: this.path("lib", "gateway.db"),
      migrations: supervisorMigrations,
      logger: silentLogger,
      now: Date.now,
    });
    const supervisor = new Supervisor({
      db,
      directories: { stateDir: this.path("lib"), runDir: this.path("run"), logDir: this.path("log") },
      launcherFile,
      nodeFile: process.execPath,
      logDaemon: { programFile, budgetBytes: 50 * 1024 * 1024, ...logDaemon },
      pm2: this.adapter(),
      system,
      environment: this.options.environment ?? { PATH: testPath, LANG: "C" },
      hostName: this.options.hostName ?? "gateway-1",
      logger: this.options.logger ?? silentLogger,
      clock: systemClock,
      random: Math.random,
      shell: testShell,
      report: this.options.report ?? (() => undefined),
      onGaveUp: this.options.onGaveUp ?? (() => undefined),
      checkIntervalMs: this.options.checkIntervalMs ?? 1_000,
      restIntervalMs: this.options.restIntervalMs ?? 1_000,
      statusIntervalMs: 50,
      fatalRetryMs: this.options.fatalRetryMs ?? 0,
    });
    this.open.push({ supervisor, close: () => db.close() });
    return supervisor;
  }

  /** Unpacks an app: `conf` is the body of its `[supervisord]` section. */
  app(name: string, conf: string, script = "", version = "1"): InstalledTestApp {
    const directory = this.path("apps", `${name}.v${version}`);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "supervisor.conf"), `[supervisord]\n${conf}\n`);
    writeFileSync(join(directory, "run.sh"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return { name, version, kind: "long-running", directory };
  }

  log(name: string): string {
    const file = this.path("log", `${name}.log`);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  launcher(name: string): ProcessIdentity {
    const [pid, ticks] = readFileSync(this.path("run", "apps", name, "launcher"), "utf8").split(":");
    return { pid: Number(pid), startTicks: Number(ticks) };
  }

  pm2Daemon(): ProcessIdentity {
    return JSON.parse(readFileSync(join(this.pm2Home, "daemon.json"), "utf8")) as ProcessIdentity;
  }

  /** Ends all, and fails if anything is left running. */
  async dispose(): Promise<void> {
    try {
      for (const { supervisor } of this.open) await supervisor.stop();
      const last = this.open.at(-1);
      if (last !== undefined) await last.supervisor.stopAll();
      await until(() => processesUnder(this.root).length === 0).catch(() => undefined);
      expect(processesUnder(this.root)).toEqual([]);
    } finally {
      for (const { pid } of processesUnder(this.root)) process.kill(pid, "SIGKILL");
      for (const { close } of this.open) close();
      rmSync(this.root, { recursive: true, force: true });
    }
  }
}

export interface InstalledTestApp {
  readonly name: string;
  readonly version: string;
  readonly kind: AppKind;
  readonly directory: string;
}

/** Processes that run something of, or in, a directory. */
export function processesUnder(directory: string): readonly { pid: number; command: string }[] {
  return readdirSync("/proc").flatMap((entry) => {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      const isOurs = command.includes(directory) || readlinkSync(`/proc/${pid}/cwd`).startsWith(directory);
      return isOurs && processStartTicks(pid) !== undefined ? [{ pid, command }] : [];
    } catch {
      return [];
    }
  });
}

/** Polls until the condition gives something; fails after `timeoutMs`. */
export async function until<T>(
  condition: () => T | Promise<T>,
  timeoutMs = patienceMs,
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const result = await condition();
    if (result) return result as NonNullable<Exclude<T, false>>;
    if (performance.now() >= deadline) expect.fail(`not within ${timeoutMs} ms: ${condition}`);
    await systemClock.sleep(20);
  }
}

export async function statusOf(supervisor: Supervisor, name: string): Promise<AppStatus> {
  const status = (await supervisor.statuses()).find((one) => one.name === name);
  return status ?? expect.fail(`no status of ${name}`);
}

export function untilState(
  supervisor: Supervisor,
  name: string,
  state: AppStatus["state"],
  timeoutMs?: number,
): Promise<AppStatus> {
  return until(async () => {
    const status = await statusOf(supervisor, name);
    return status.state === state && status;
  }, timeoutMs);
}

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AppStatus } from "../../src/core/app-status.ts";
import type { EngineStatus } from "../../src/core/control-api.ts";
import { pathsUnder } from "../../src/core/paths.ts";
import type { OtaLimits } from "../../src/ota/index.ts";
import { eventually, GaveUpError } from "./eventually.ts";
import { bundleProgram } from "./program-bundle.ts";

export { eventually };

const bin = join(import.meta.dirname, "../../bin");

export interface EngineHomeOptions {
  readonly serverUrl: string;
  readonly product: string;
  readonly serial: string;
  /** Further lines of `[engine]` in Engine.config, e.g. `check_in = long-poll`. */
  readonly engineConfig?: readonly string[];
  /** Further lines of `[device]` in Gateway.cfg. */
  readonly deviceConfig?: readonly string[];
  /** In place of what the test itself runs with. */
  readonly environment?: Readonly<Record<string, string>>;
  /** In place of the pipeline's defaults: the engine is then run by a program of the tests' own. */
  readonly otaLimits?: Partial<OtaLimits>;
  /** A command that becomes the one behind it, such as `nsenter`: the engine runs under it. */
  readonly under?: readonly string[];
}

/** A real engine (`bin/gwe`) with a `GWE_HOME` of its own. `dispose` ends it, pm2's daemon and every app. */
export class EngineProcess implements AsyncDisposable {
  readonly home: string;
  readonly paths: ReturnType<typeof pathsUnder>;
  private readonly otaLimits: Partial<OtaLimits> | undefined;
  private readonly ownEnvironment: Readonly<Record<string, string>>;
  private readonly under: readonly string[];
  private child: ChildProcess | undefined;
  private text = "";

  constructor(options: EngineHomeOptions) {
    this.home = mkdtempSync(join(tmpdir(), "gwe-"));
    this.otaLimits = options.otaLimits;
    this.ownEnvironment = options.environment ?? {};
    this.under = options.under ?? [];
    this.paths = pathsUnder(this.home);
    mkdirSync(this.paths.etcDir);
    const device = [
      `server_url = ${options.serverUrl}`,
      `vendor = ${options.product}`,
      `model = ${options.product}`,
      `uuid = ${options.serial}`,
      ...(options.deviceConfig ?? []),
    ];
    writeFileSync(this.paths.gatewayCfg, `[device]\n${device.join("\n")}\n`, { mode: 0o640 });
    writeFileSync(this.paths.engineConfig, `[engine]\n${(options.engineConfig ?? []).join("\n")}\n`);
  }

  get environment(): NodeJS.ProcessEnv {
    const { ownEnvironment: own } = this;
    return { ...process.env, ...own, GWE_HOME: this.home, PATH: `${bin}:${process.env.PATH}` };
  }

  get pid(): number | undefined {
    return this.isRunning ? this.child?.pid : undefined;
  }

  get isRunning(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Everything that the engines started here have printed. */
  get output(): string {
    return this.text;
  }

  /** Starts the engine; does not wait for anything. */
  start(...args: readonly string[]): void {
    const own =
      this.otaLimits === undefined
        ? [join(bin, "gwe")]
        : [process.execPath, bundleProgram("test/support/engine-child.ts"), JSON.stringify(this.otaLimits)];
    const [command = "", ...before] = [...this.under, ...own];
    const child = spawn(command, [...before, ...args], {
      env: this.environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        this.text += chunk;
      });
    }
    this.child = child;
  }

  /** Ends the engine with a signal; resolves to its exit status (null when the signal ended it). */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const { child } = this;
    if (child === undefined || !this.isRunning) return child?.exitCode ?? null;
    const exited = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
    child.kill(signal);
    return exited;
  }

  /** Resolves to the exit status when the engine ends by itself. */
  async exit(): Promise<number | null> {
    const { child } = this;
    if (child === undefined || !this.isRunning) return child?.exitCode ?? null;
    return new Promise((resolve) => child.once("exit", (code) => resolve(code)));
  }

  /** `GET /status` of the running engine; undefined while nothing answers. */
  status(): Promise<EngineStatus | undefined> {
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: this.paths.controlSocket, path: "/status" }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          body += chunk;
        });
        response.once("end", () => {
          if (response.statusCode === 200) resolve(JSON.parse(body) as EngineStatus);
          else reject(new GaveUpError(`status answered ${response.statusCode}: ${body}`));
        });
        response.once("error", () => resolve(undefined));
      });
      call.once("error", () => resolve(undefined));
      call.end();
    });
  }

  async app(name: string): Promise<AppStatus | undefined> {
    return (await this.status())?.apps.find((app) => app.name === name);
  }

  /** Waits until an app is RUNNING (in that version, if one is given). */
  running(name: string, version?: string): Promise<AppStatus & { readonly pid: number }> {
    return eventually(`${name} ${version ?? ""} RUNNING`, async () => {
      const app = await this.app(name);
      const isIt =
        app?.state === "RUNNING" && app.pid !== undefined && (version ?? app.version) === app.version;
      return isIt ? { ...app, pid: app.pid } : undefined;
    });
  }

  /** pm2's daemon; undefined when there is none. */
  pm2Pid(): number | undefined {
    return this.processes().find((one) => this.isPm2(one))?.pid;
  }

  private isPm2({ command }: { readonly command: string }): boolean {
    return command.startsWith(`gwe-pm2 ${this.paths.pm2Home}`);
  }

  /** Every process that works for this home: the engine, pm2's daemon, launchers, apps and installers. */
  processes(): readonly { readonly pid: number; readonly command: string }[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .flatMap((name) => {
        try {
          const command = readFileSync(`/proc/${name}/cmdline`, "latin1").replaceAll("\0", " ");
          const isOurs = (text: string): boolean => text.includes(this.home);
          return isOurs(command) || isOurs(readFileSync(`/proc/${name}/environ`, "latin1"))
            ? [{ pid: Number(name), command }]
            : [];
        } catch {
          return []; // It ended while we looked.
        }
      });
  }

  /** Ends the engine, then pm2's daemon with every app; throws when a process is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGTERM");
    const asked = new Set<number>();
    const isAlone = (): boolean => {
      const left = this.processes();
      // An engine that ends early leaves a daemon that is only just coming up.
      const pm2 = left.find((one) => this.isPm2(one))?.pid;
      if (pm2 !== undefined && !asked.has(pm2)) sendSignal(pm2, "SIGTERM");
      if (pm2 !== undefined) asked.add(pm2);
      return left.length === 0;
    };
    try {
      await eventually("every process to end", isAlone);
    } catch (error) {
      const left = this.processes();
      for (const { pid } of left) sendSignal(pid, "SIGKILL");
      throw new GaveUpError(`left behind: ${JSON.stringify(left)}`, { cause: error });
    } finally {
      rmSync(this.home, { recursive: true, force: true });
    }
  }
}

/** To a process that may have ended meanwhile. */
function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { EngineStatus } from "../../../src/core/control-api.ts";

const run = promisify(execFile);
const bin = join(import.meta.dirname, "../../../bin");

export interface GatewayOptions {
  readonly home: string;
  readonly product: string;
  readonly serial: string;
  readonly serverUrl: string;
}

/** One gateway engine in a directory of its own, driven only through its commands, as an operator would. */
export class Gateway {
  private readonly options: GatewayOptions;
  private engine: ChildProcess | undefined;

  constructor(options: GatewayOptions) {
    this.options = options;
  }

  /** Configures the engine and starts it. */
  async start(): Promise<void> {
    const { home, product, serial, serverUrl } = this.options;
    mkdirSync(join(home, "etc"), { recursive: true });
    writeFileSync(join(home, "etc/Gateway.cfg"), `[device]\nserver_url = ${serverUrl}\n`, { mode: 0o640 });
    writeFileSync(join(home, "etc/Engine.config"), "[engine]\ncheck_in = long-poll\nupdate_interval = 30\n");
    await this.gwe("--set-product-id", product, "--set-uuid", serial);
    const log = createWriteStream(join(home, "engine-output.log"));
    this.engine = spawn(join(bin, "gwe"), [], { env: this.environment(), stdio: ["ignore", "pipe", "pipe"] });
    this.engine.stdout?.pipe(log, { end: false });
    this.engine.stderr?.pipe(log, { end: false });
  }

  async status(): Promise<EngineStatus> {
    return JSON.parse(await this.gwe("status", "--json")) as EngineStatus;
  }

  /** Runs `gwe` and returns what it printed. */
  async gwe(...args: readonly string[]): Promise<string> {
    return (await run(join(bin, "gwe"), [...args], { env: this.environment() })).stdout;
  }

  get running(): boolean {
    return this.engine !== undefined && this.engine.exitCode === null && this.engine.signalCode === null;
  }

  /** Stops the engine, then pm2's daemon with the apps. Under systemd the units do this. */
  async stop(): Promise<void> {
    if (this.engine !== undefined && this.running) {
      const ended = new Promise((resolve) => this.engine?.once("exit", resolve));
      this.engine.kill("SIGTERM");
      await ended;
    }
    const pidFile = join(this.options.home, "lib/pm2/pm2.pid");
    if (existsSync(pidFile)) endProcess(Number(readFileSync(pidFile, "utf8")));
  }

  /** Processes that still run from this gateway's directory. */
  strayProcesses(): readonly number[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => pid !== process.pid && this.belongsToGateway(pid));
  }

  private belongsToGateway(pid: number): boolean {
    try {
      const text =
        readFileSync(`/proc/${pid}/cmdline`, "utf8") + readFileSync(`/proc/${pid}/environ`, "utf8");
      return text.includes(this.options.home);
    } catch {
      return false; // ended while we looked
    }
  }

  private environment(): NodeJS.ProcessEnv {
    // On an installed gateway gwe and gdc are on everybody's PATH.
    return { ...process.env, GWE_HOME: this.options.home, PATH: `${bin}:${process.env.PATH}` };
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

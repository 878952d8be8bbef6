import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type LogdLayout, logdLayout } from "../../src/supervisor/logd/layout.ts";
import { type LogStream, renderUnitStreams } from "../../src/supervisor/logd/stream-file.ts";
import { patienceMs } from "./eventually.ts";

const bundle = join(import.meta.dirname, "../../dist/logd.js");
const nodeFlags = ["--max-semi-space-size=1", "--v8-pool-size=0", "--optimize-for-size"];

export interface LogDaemonOptions {
  /** Everything lies in here. */
  readonly directory: string;
  readonly budgetBytes?: number;
  readonly syslogSocket?: string;
  /** In place of the log daemon as built: an entry that takes the same arguments. */
  readonly entry?: string;
  /** What it is started through, such as a shell with a limit. */
  readonly through?: readonly string[];
}

/** The log daemon as a process, and the FIFOs that launchers would make. */
export class LogDaemonProcess {
  readonly layout: LogdLayout;
  readonly logDir: string;
  private readonly options: LogDaemonOptions;
  private readonly streams: LogStream[] = [];
  private readonly held: number[] = [];
  private child: ChildProcess | undefined;

  constructor(options: LogDaemonOptions) {
    const { directory } = options;
    this.options = options;
    this.layout = logdLayout(join(directory, "run"));
    this.logDir = join(directory, "log");
    for (const place of [this.layout.streams, this.layout.fifos, this.layout.requests, this.logDir]) {
      mkdirSync(place, { recursive: true });
    }
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  /** Adds a stream; resolves to a descriptor for an app to write into, which is held open as a launcher would. */
  async add(name: string, settings: Partial<LogStream> = {}): Promise<number> {
    const fifo = join(this.layout.fifos, `${name}.stdout`);
    const stream = {
      fifo,
      file: join(this.logDir, `${name}.log`),
      maxBytes: 200 * 1024,
      backups: 1,
      syslog: null,
      fileIsFallback: false,
      ...settings,
    };
    this.streams.push(stream);
    const launcherFile = join(this.options.directory, "launcher");
    writeFileSync(join(this.layout.streams, name), renderUnitStreams({ launcherFile, streams: [stream] }));
    execFileSync("mkfifo", ["-m", "622", fifo]);
    const fd = openSync(fifo, constants.O_RDWR);
    this.held.push(fd);
    if (this.child !== undefined) await this.flush();
    return fd;
  }

  /** Which process says that it is the log daemon. */
  identity(): string {
    return readFileSync(this.layout.identity, "utf8");
  }

  log(name: string, backup = 0): string {
    const file = join(this.logDir, backup === 0 ? `${name}.log` : `${name}.log.${backup}`);
    return existsSync(file) ? readFileSync(file, "latin1") : "";
  }

  start(): void {
    const { directory, budgetBytes = 50 << 20, syslogSocket = "/nowhere", entry = bundle } = this.options;
    const words = [
      ...nodeFlags,
      entry,
      join(directory, "run"),
      this.logDir,
      String(budgetBytes),
      syslogSocket,
    ];
    const [program, ...args] = [...(this.options.through ?? []), process.execPath, ...words];
    this.child = spawn(program ?? "", args, { stdio: ["pipe", "inherit", "inherit"] });
  }

  /** Closes its stdin, as the end of pm2 does. */
  closeStdin(): void {
    this.child?.stdin?.end();
  }

  /** Resolves when it has ended. */
  async end(signal?: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    if (signal !== undefined) child.kill(signal);
    await ended;
    this.child = undefined;
  }

  /** As a launcher asks for it: resolves when all that was in the FIFOs is written. */
  async flush(): Promise<void> {
    const request = join(this.layout.requests, `test.${Math.random()}`);
    writeFileSync(request, "");
    for (const deadline = performance.now() + patienceMs; existsSync(request); await delay(2)) {
      if (performance.now() > deadline) throw new Error("the log daemon answers no request");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
    for (const fd of this.held) closeSync(fd);
  }
}

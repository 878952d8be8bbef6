import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { GweError } from "../../src/core/errors.ts";
import { Timeline } from "./timeline.ts";
import { serialOf, type WorkerOrder, type WorkerSecond } from "./worker-protocol.ts";

export class SimulationError extends GweError {
  readonly code = "FLEET_SIMULATION";
}

export interface SceneOptions {
  readonly gateways: number;
  readonly processes: number;
  readonly intervalS: number;
  readonly failing: number;
  readonly cutOff: number;
  readonly longPoll: number;
  readonly installMs: number;
  readonly seed: number;
  /** URL of the database in which the emulator keeps everything; undefined: in a SQLite file of its own. */
  readonly database: string | undefined;
  /** Where that database has its files, if they are on this machine and known. */
  readonly databaseDirectory?: string | undefined;
}

/** What the emulator's process used up so far. */
export interface EmulatorUse {
  /** Megabytes of 1,000,000 bytes. */
  readonly residentMb: number;
  readonly peakMb: number;
  /** Processor time, user and system. */
  readonly cpuMs: number;
  /** Of its data directory, or of the database; 0 where that is not known. */
  readonly diskMb: number;
}

export const product = "fleetsim";

/** Linux counts processor time for users in hundredths of a second on every machine (USER_HZ). */
const tickMs = 10;

/**
 * On two cores what the simulation spends on itself the emulator lacks: young garbage is left to pile up, and stacks of
 * the exceptions by which Node ends its streams are not recorded.
 */
const thriftyFlags = ["--max-semi-space-size=64", "--stack-trace-limit=1"];

/** Beside its connections a process has its files, pipes and the like. */
const otherFiles = 100;

/** An emulator in a process of its own, and processes full of gateways. */
export class Scene implements AsyncDisposable {
  readonly timeline = new Timeline();
  readonly #options: SceneOptions;
  readonly #directory: string;
  readonly #emulator: ChildProcess;
  readonly #workers: ChildProcess[] = [];
  readonly url: string;
  readonly #token: string;
  readonly cik: string;
  #isEnding = false;

  private constructor(
    options: SceneOptions,
    server: { readonly child: ChildProcess; readonly directory: string; readonly line: string },
  ) {
    this.#options = options;
    this.#directory = server.directory;
    this.#emulator = server.child;
    const { url, token, cik } = JSON.parse(server.line) as { url: string; token: string; cik: string };
    this.url = url;
    this.#token = token;
    this.cik = cik;
  }

  static async start(options: SceneOptions): Promise<Scene> {
    const directory = await mkdtemp(join(tmpdir(), "fleet-sim-"));
    const program = join(import.meta.dirname, "../../bin/murano-emulator");
    const { database } = options;
    const place = database === undefined ? ["--data", join(directory, "data")] : [];
    const child = spawn(program, ["--port", "0", ...place, "--product", product], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, ...(database !== undefined && { MURANO_EMULATOR_DATABASE: database }) },
    });
    for await (const line of createInterface({ input: child.stdout })) {
      return new Scene(options, { child, directory, line });
    }
    throw new SimulationError("the emulator did not start");
  }

  /** A request of the owner's; what is no good answer is thrown. */
  async owner(
    method: string,
    path: string,
    body?: string | Buffer<ArrayBuffer>,
    type?: string,
  ): Promise<string> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        "X-Exosite-Token": this.#token,
        "X-Emulator-Bypass": "1",
        ...(type !== undefined && { "Content-Type": type }),
      },
      ...(body !== undefined && { body }),
    });
    const text = await response.text();
    if (response.ok) return text;
    throw new SimulationError(`${method} ${path}: ${response.status} ${text}`);
  }

  /**
   * A process that runs out of file descriptors answers nobody new, and says nothing of it.
   *
   * @throws SimulationError where so many connections are more than one process may have here
   */
  static checkLimits({ gateways, longPoll }: SceneOptions): void {
    // Of the two ends of each connection one is in the emulator; the processes of gateways share the others.
    const needed = Math.ceil(gateways * (1 + longPoll)) + otherFiles;
    const limits = readFileSync("/proc/self/limits", "latin1");
    const allowed = Number(/^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
    if (needed <= allowed) return;
    throw new SimulationError(
      `${gateways} gateways need some ${needed} file descriptors in the emulator, and ${allowed} are allowed (ulimit -Hn)`,
    );
  }

  /** Adds the serials and opens their activation. */
  async provision(): Promise<void> {
    const serials = Array.from({ length: this.#options.gateways }, (_, index) => serialOf(index));
    const path = `/provision/manage/model/${product}/`;
    await this.owner("POST", path, serials.map((sn) => `${sn},\r\n`).join(""), "text/csv");
    const queue = serials.values();
    const enable = async (): Promise<void> => {
      for (const sn of queue) {
        await this.owner("POST", path + sn, "enable=true", "application/x-www-form-urlencoded");
      }
    };
    await Promise.all(Array.from({ length: 32 }, enable));
  }

  async addContent(id: string, blob: Buffer<ArrayBuffer>): Promise<void> {
    const path = `/provision/manage/content/${product}/`;
    await this.owner("POST", path, `id=${id}&meta=`, "application/x-www-form-urlencoded");
    await this.owner("POST", path + id, blob, "application/gzip");
  }

  /** Starts all gateways, spread over the time given; resolves when their processes are up. */
  async startGateways(spreadMs: number): Promise<void> {
    const { gateways, processes } = this.#options;
    const ready: Promise<unknown>[] = [];
    for (let worker = 0; worker < processes; worker++) {
      const first = Math.floor((gateways * worker) / processes);
      const count = Math.floor((gateways * (worker + 1)) / processes) - first;
      const order: WorkerOrder = { ...this.#options, url: this.url, product, first, count, spreadMs };
      const child = fork(join(import.meta.dirname, "worker.ts"), [JSON.stringify(order)], {
        execArgv: thriftyFlags,
      });
      ready.push(once(child, "message"));
      child.on("message", (told) => {
        if (told !== "ready") this.timeline.add(worker, told as WorkerSecond);
      });
      child.on("exit", (code, signal) => {
        if (this.#isEnding) return;
        process.stderr.write(`a process of gateways ended by itself (${signal ?? code})\n`);
        process.exitCode = 1;
      });
      this.#workers.push(child);
    }
    await Promise.all(ready);
    for (const child of this.#workers) child.send("start");
  }

  emulatorUse(): EmulatorUse {
    const { pid } = this.#emulator;
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    const read = (key: string) =>
      (Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0) * 1024) / 1e6;
    // After the name, which may hold anything, fields 14 and 15 of proc(5): user and system time.
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1")
      .replace(/^.*\) /s, "")
      .split(" ");
    const { database, databaseDirectory } = this.#options;
    const data = database === undefined ? join(this.#directory, "data") : databaseDirectory;
    const files =
      data === undefined
        ? []
        : readdirSync(data, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
    const bytes = files.reduce(
      (sum, { parentPath, name }) =>
        sum + (statSync(join(parentPath, name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
    return {
      residentMb: read("VmRSS"),
      peakMb: read("VmHWM"),
      cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs,
      diskMb: bytes / 1e6,
    };
  }

  /** Lets so many seconds pass; resolves to the index of the first. */
  async pass(seconds: number): Promise<number> {
    const first = this.timeline.now() + 1;
    while (this.timeline.now() < first + seconds) await delay(200);
    return first;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    for (const child of [...this.#workers, this.#emulator]) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      const isLate = await Promise.race([ended.then(() => false), delay(10_000, true, { ref: false })]);
      if (isLate) child.kill("SIGKILL");
    }
    await rm(this.#directory, { recursive: true, force: true });
  }
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";
import type { ProcessIdentity } from "../../platform/process-table.ts";
import type { ProcessImage } from "../../platform/replace-process.ts";
import { Pm2UnavailableError } from "../errors.ts";
import type { SupervisorSystem } from "../system.ts";

export interface Pm2DaemonSettings {
  /** Its own PM2_HOME; created with mode 0700. At most 90 bytes: sockets lie in it. */
  readonly home: string;
  /** `pm2/lib/Daemon.js` of the installed, unmodified pm2. */
  readonly daemonFile: string;
  readonly nodeFile: string;
  /** Variables that the daemon itself needs (PATH, LANG, TZ …). Never a secret: apps' own come from elsewhere. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface DaemonProcessDependencies extends Pm2DaemonSettings {
  readonly system: SupervisorSystem;
  readonly clock: Clock;
  readonly logger: Logger;
}

const recordName = "daemon.json";
const maxHomeBytes = 90;
const maxLogBytes = 1024 * 1024;

/** Measured (docs/supervision.md): they take 3 MB off an idle daemon, which has next to nothing to compute. */
const nodeFlags = ["--max-semi-space-size=1", "--v8-pool-size=0", "--optimize-for-size"];

const recordSchema = z.object({ bootId: z.string(), pid: z.int(), startTicks: z.int() });

/** pm2's daemon as a process: its files, how it is started, and which process it is. */
export class Pm2DaemonProcess {
  private readonly deps: DaemonProcessDependencies;

  constructor(deps: DaemonProcessDependencies) {
    this.deps = deps;
  }

  get rpcSocket(): string {
    return join(this.deps.home, "rpc.sock");
  }

  /** @throws Pm2UnavailableError when the path is too long for the sockets in it */
  prepareHome(): void {
    const { home, system } = this.deps;
    if (Buffer.byteLength(home) > maxHomeBytes) {
      throw new Pm2UnavailableError(
        `the state directory's path is too long: pm2's sockets need one of at most ${maxHomeBytes} bytes`,
        { context: { home, maxBytes: maxHomeBytes } },
      );
    }
    system.ensureDirectory(home, 0o700);
    // Without pm2's own sampling of the machine, which nobody here reads.
    const settings = join(home, "module_conf.json");
    if (readText(settings) === undefined) {
      system.writeFileAtomic(settings, '{"pm2":{"sysmonit":"false"}}\n', { mode: 0o600 });
    }
    this.deleteDumps();
  }

  /** pm2 dumps its process list, environments included, when it is ended; nothing here reads it. */
  deleteDumps(): void {
    for (const name of ["dump.pm2", "dump.pm2.bak"]) this.deps.system.removePath(join(this.deps.home, name));
  }

  /** Its log is for a person who looks for a fault: bounded, the newest wins. */
  boundLog(): void {
    this.deps.system.emptyFileAbove(join(this.deps.home, "pm2.log"), maxLogBytes);
  }

  /** Starts a daemon; call it under the starters' lock, with no other alive. */
  start(): ProcessIdentity {
    const { home, system, logger } = this.deps;
    this.boundLog();
    const started = system.spawnDetached({ ...this.image(), logFile: join(home, "pm2.log") });
    this.record(started);
    logger.info("pm2's daemon started", { pid: started.pid });
    return started;
  }

  /**
   * Turns the calling process into the daemon, for a service manager that wants it as the main process of a unit.
   * Its output stays where the caller's goes. A daemon of this home that runs elsewhere is ended first: the unit's
   * is the one that counts.
   *
   * @throws Pm2UnavailableError when the path is too long for the sockets in it
   * @throws when another process is just starting a daemon
   */
  async become(replaceProcess: (image: ProcessImage) => never): Promise<never> {
    const { home, system, logger } = this.deps;
    this.prepareHome();
    const lock = system.acquireInstanceLock(this.lockFile);
    try {
      const former = this.find();
      if (former !== undefined) {
        logger.warn("another daemon of this pm2 home is ended", { home, pid: former.pid });
        await this.kill(former);
        this.deleteDumps();
      }
      const startTicks = system.processStartTicks(process.pid);
      if (startTicks !== undefined) this.record({ pid: process.pid, startTicks });
      return replaceProcess(this.image());
    } finally {
      lock.release();
    }
  }

  /** Held by whoever starts a daemon. */
  get lockFile(): string {
    return join(this.deps.home, "start.lock");
  }

  /** How pm2's daemon is run, whoever starts it. */
  private image(): ProcessImage {
    const { home, daemonFile, nodeFile, environment } = this.deps;
    return {
      command: nodeFile,
      args: [...nodeFlags, daemonFile],
      cwd: "/",
      env: {
        ...environment,
        PM2_HOME: home,
        PM2_DAEMON_TITLE: `gwe-pm2 ${home}`,
        PM2_DISABLE_VERSION_CHECK: "1",
        // Its worker only samples memory and CPU of apps, for `pm2 monit`: once in 20 days will do.
        PM2_WORKER_INTERVAL: "1800000000",
        PM2_KILL_RETRY_TIME: "50",
        UV_THREADPOOL_SIZE: "1",
        MALLOC_ARENA_MAX: "1",
      },
    };
  }

  private record(daemon: ProcessIdentity): void {
    const { system } = this.deps;
    const record = { bootId: system.bootId(), ...daemon };
    system.writeFileAtomic(this.recordFile, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  }

  /** The daemon of this home, if one is alive. */
  find(): ProcessIdentity | undefined {
    return findPm2Daemon(this.deps.home, this.deps.system);
  }

  /** Ends it by SIGKILL: its apps' launchers notice, and end what they run. */
  async kill(daemon: ProcessIdentity, signal?: AbortSignal): Promise<void> {
    const { system, clock } = this.deps;
    if (system.isSameProcessAlive(daemon)) process.kill(daemon.pid, "SIGKILL");
    while (system.isSameProcessAlive(daemon)) await clock.sleep(20, signal);
  }

  private get recordFile(): string {
    return join(this.deps.home, recordName);
  }
}

/** The daemon of a home, if one is alive. pm2's own pid file is not asked: after a reboot it names anybody. */
export function findPm2Daemon(
  home: string,
  system: Pick<SupervisorSystem, "bootId" | "isSameProcessAlive">,
): ProcessIdentity | undefined {
  const record = parseRecord(readText(join(home, recordName)));
  if (record === undefined || record.bootId !== system.bootId()) return undefined;
  return system.isSameProcessAlive(record) ? { pid: record.pid, startTicks: record.startTicks } : undefined;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function parseRecord(text: string | undefined): z.infer<typeof recordSchema> | undefined {
  if (text === undefined) return undefined;
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch {
    // Written atomically by us: anything else is somebody's edit, and as good as no record.
    return undefined;
  }
}

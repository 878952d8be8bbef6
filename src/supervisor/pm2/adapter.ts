import { join } from "node:path";
import * as z from "zod/mini";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";
import type { ProcessIdentity, ProcessStateReader } from "../../platform/process-table.ts";
import { Pm2CallError, Pm2TimeoutError, Pm2UnavailableError } from "../errors.ts";
import type { SupervisorSystem } from "../system.ts";
import { connectPm2, type Pm2Connection } from "./connection.ts";
import { Pm2DaemonProcess, type Pm2DaemonSettings } from "./daemon-process.ts";
import type { Pm2Entry, Pm2Port, Pm2StartRequest } from "./port.ts";

export interface Pm2AdapterDependencies extends Pm2DaemonSettings {
  /** `systemd`: a unit of its own runs the daemon; it is waited for, and killed when it hangs, but never started. */
  readonly daemonOwner: "engine" | "systemd";
  readonly system: SupervisorSystem;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A daemon that doesn't answer a ping for this long, twice, hangs. */
  readonly pingTimeoutMs?: number;
  /** How long a daemon may take to come up. */
  readonly startTimeoutMs?: number;
}

const callTimeoutMs = 10_000;
const connectTimeoutMs = 2_000;

const entrySchema = z.object({
  name: z.string(),
  pm_id: z.int(),
  pid: z.optional(z.nullable(z.int())),
  pm2_env: z.object({
    status: z.string(),
    gwe_generation: z.catch(z.optional(z.number()), undefined),
    gwe_priority: z.catch(z.optional(z.number()), undefined),
  }),
});

/** Speaks to pm2's own daemon over its socket, and sees to it that there is exactly one. */
export class Pm2Adapter implements Pm2Port {
  private readonly deps: Pm2AdapterDependencies;
  private readonly daemon: Pm2DaemonProcess;
  private readonly downListeners = new Set<() => void>();
  private connection: Pm2Connection | undefined;
  private rising: Promise<void> | undefined;
  /** The daemon at the last look: looked at so often that nothing else is read as long as it lives. */
  private lastSeen: { readonly daemon: ProcessIdentity; readonly reader: ProcessStateReader } | undefined;

  constructor(deps: Pm2AdapterDependencies) {
    this.deps = deps;
    this.daemon = new Pm2DaemonProcess(deps);
  }

  wake(): void {
    const { system, logger } = this.deps;
    let state = this.lastSeen?.reader.state();
    if (state === undefined) {
      this.lookAway();
      const daemon = this.daemon.find();
      const reader = daemon && system.openProcessState(daemon);
      if (daemon !== undefined && reader !== undefined) this.lastSeen = { daemon, reader };
      state = reader?.state();
    }
    if (this.lastSeen === undefined || state !== "T") return;
    const { pid } = this.lastSeen.daemon;
    logger.warn("pm2's daemon was stopped by a signal; it is told to go on", { pid });
    try {
      process.kill(pid, "SIGCONT");
    } catch (error) {
      // What hangs on for all that is found out by pings, and replaced.
      logger.debug("signal not delivered", { pid, error });
    }
  }

  isUp(): boolean {
    return this.connection !== undefined;
  }

  onDown(listener: () => void): () => void {
    this.downListeners.add(listener);
    return () => this.downListeners.delete(listener);
  }

  ensureUp(signal?: AbortSignal): Promise<void> {
    this.rising ??= this.rise(signal).finally(() => {
      this.rising = undefined;
    });
    return this.rising;
  }

  async list(): Promise<readonly Pm2Entry[]> {
    const answer = z
      .array(entrySchema)
      .safeParse(await this.opened().call("getMonitorData", {}, callTimeoutMs));
    if (!answer.success) {
      throw new Pm2CallError("pm2's process list is not understood", { cause: answer.error });
    }
    return answer.data.map(({ name, pm_id, pid, pm2_env }) => ({
      id: pm_id,
      name,
      pid: pid ?? undefined,
      status: pm2_env.status,
      generation: pm2_env.gwe_generation,
      priority: pm2_env.gwe_priority,
    }));
  }

  async start(request: Pm2StartRequest): Promise<void> {
    const [program, ...args] = request.command;
    await this.opened().call(
      "prepare",
      {
        name: request.name,
        namespace: "gwe",
        gwe_generation: request.generation,
        gwe_priority: request.priority,
        pm_exec_path: program,
        args,
        exec_interpreter: "none",
        exec_mode: "fork_mode",
        pm_cwd: "/",
        pm_pid_path: join(this.deps.home, "launcher.pid"),
        pm_out_log_path: "/dev/null",
        pm_err_log_path: "/dev/null",
        disable_logs: true,
        merge_logs: true,
        // Its environment would be copied into every entry, dump and event: the launcher brings its own.
        env: {},
        autostart: true,
        autorestart: true,
        stop_exit_codes: [...request.stopExitCodes],
        ...(request.restartDelayMs !== undefined && { restart_delay: request.restartDelayMs }),
        // The restart policy is the launcher's: these two keep pm2's own from ever having a say.
        min_uptime: 0,
        max_restarts: 1_000_000_000,
        kill_timeout: request.killTimeoutMs,
        kill_retry_time: 50,
        treekill: false,
        vizion: false,
        pmx: false,
      },
      callTimeoutMs,
    );
  }

  async remove(id: number, timeoutMs: number): Promise<void> {
    await this.opened().call("deleteProcessId", id, timeoutMs);
  }

  async shutDown(): Promise<void> {
    this.close();
    if (this.deps.daemonOwner === "systemd") return;
    const daemon = this.daemon.find();
    if (daemon !== undefined) await this.daemon.kill(daemon);
    this.daemon.deleteDumps();
  }

  close(): void {
    this.connection?.close();
    this.connection = undefined;
    this.lookAway();
  }

  private lookAway(): void {
    this.lastSeen?.reader.close();
    this.lastSeen = undefined;
  }

  private opened(): Pm2Connection {
    if (this.connection === undefined) throw new Pm2UnavailableError("not connected to pm2's daemon");
    return this.connection;
  }

  private async rise(signal: AbortSignal | undefined): Promise<void> {
    this.wake();
    if (await this.answers()) {
      this.daemon.boundLog();
      return;
    }
    this.daemon.prepareHome();
    if (await this.connect()) return;
    if (this.deps.daemonOwner === "engine") await this.startUnderLock(signal);
    else await this.awaitDaemon(signal);
  }

  /** Whether the open connection leads to a daemon that answers; one that hangs is ended. */
  private async answers(): Promise<boolean> {
    const { pingTimeoutMs = 3_000, logger } = this.deps;
    const connection = this.connection;
    if (connection === undefined) return false;
    for (let attempt = 1; attempt <= 2; attempt++) {
      try {
        await connection.call("ping", {}, pingTimeoutMs);
        return true;
      } catch (error) {
        if (error instanceof Pm2UnavailableError) return false;
        if (!(error instanceof Pm2TimeoutError)) throw error;
      }
    }
    logger.error("pm2's daemon hangs: it is killed and replaced");
    await this.killHungDaemon();
    return false;
  }

  private async killHungDaemon(): Promise<void> {
    this.close();
    const daemon = this.daemon.find();
    if (daemon === undefined) {
      throw new Pm2UnavailableError("pm2's daemon hangs, and its process can't be told for sure", {
        context: { home: this.deps.home },
      });
    }
    await this.daemon.kill(daemon);
    this.daemon.deleteDumps();
  }

  /** @returns whether a daemon now answers on the connection */
  private async connect(): Promise<boolean> {
    let connection: Pm2Connection | undefined;
    const onClosed = (): void => {
      // One that hung was let go of already.
      if (connection === undefined || this.connection !== connection) return;
      this.connection = undefined;
      this.daemon.deleteDumps();
      for (const listener of this.downListeners) listener();
    };
    try {
      connection = await connectPm2(this.daemon.rpcSocket, connectTimeoutMs, onClosed);
      this.connection = connection;
    } catch (error) {
      if (error instanceof Pm2UnavailableError) return false;
      throw error;
    }
    return this.answers();
  }

  /** Only one starter at a time, whatever process it is in; the others wait for its daemon. */
  private async startUnderLock(signal: AbortSignal | undefined): Promise<void> {
    let lock: { release(): void };
    try {
      lock = this.deps.system.acquireInstanceLock(this.daemon.lockFile);
    } catch (cause) {
      this.deps.logger.debug("another process starts pm2's daemon", { cause });
      return this.awaitDaemon(signal);
    }
    try {
      if (await this.connect()) return;
      const former = this.daemon.find();
      if (former !== undefined) {
        // Alive without listening: still starting, past recovery, or about to be gone.
        if (await this.comesUp(signal, former)) return;
        await this.daemon.kill(former, signal);
      }
      await this.awaitDaemon(signal, this.daemon.start());
    } finally {
      lock.release();
    }
  }

  private async awaitDaemon(signal: AbortSignal | undefined, daemon?: ProcessIdentity): Promise<void> {
    if (await this.comesUp(signal, daemon)) return;
    throw new Pm2UnavailableError("pm2's daemon does not come up", {
      context: { home: this.deps.home, owner: this.deps.daemonOwner, log: join(this.deps.home, "pm2.log") },
    });
  }

  /** @param daemon whose end ends the wait, where it is known */
  private async comesUp(signal: AbortSignal | undefined, daemon?: ProcessIdentity): Promise<boolean> {
    const { clock, system, startTimeoutMs = 10_000 } = this.deps;
    const deadline = clock.monotonic() + startTimeoutMs;
    while (!(await this.connect())) {
      const isGone = daemon !== undefined && !system.isSameProcessAlive(daemon);
      if (isGone || clock.monotonic() >= deadline) return false;
      await clock.sleep(25, signal);
    }
    return true;
  }
}

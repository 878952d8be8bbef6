import type { ProcessHealth, ProcessStatus } from "../../core/app-status.ts";
import type { Clock } from "../../core/clock.ts";
import { describeError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import type { ProcessIdentity } from "../../platform/process-table.ts";
import type { SupervisorSystem } from "../system.ts";
import { HealthFile } from "./memory-file.ts";
import {
  afterProbe,
  type HealthAction,
  type HealthMemory,
  holdCs,
  isFailing,
  type ProbeResult,
} from "./policy.ts";
import { describeOutcome } from "./verdict.ts";

/** A process that is to be probed, as it is right now. Times in seconds, as `supervisor.conf` has them. */
export interface ProbedProcess {
  readonly key: string;
  /** Its run directory. */
  readonly directory: string;
  readonly state: ProcessStatus["state"];
  readonly pid: number | undefined;
  /** undefined: `health_command`, which the launcher runs as it runs the app. */
  readonly url: string | undefined;
  readonly intervalS: number;
  readonly timeoutS: number;
  readonly maxFailures: number;
}

export interface HealthMonitorDependencies {
  /** Those that have a probe. Cheap: asked for every second while there are any. */
  readonly processes: () => readonly ProbedProcess[];
  /** Runs the app's `health_command`. */
  readonly probeCommand: (directory: string) => readonly [string, ...string[]];
  readonly launcher: (key: string) => ProcessIdentity | undefined;
  /** Tells the fleet's operator. */
  readonly report: (text: string) => void;
  readonly system: Pick<
    SupervisorSystem,
    "bootId" | "writeFileAtomic" | "runProcess" | "probeUrl" | "isSameProcessAlive"
  >;
  readonly uptimeCs: () => number;
  readonly clock: Clock;
  readonly logger: Logger;
}

const tickMs = 1_000;
/** A gateway has few processors, and probes are not what they are for. */
const maxConcurrent = 4;
const killAfterMs = 1_000;
const keptOutputBytes = 1_024;

interface Watch {
  readonly maxFailures: number;
  pid: number;
  nextAtMs: number;
  isProbing: boolean;
  memory: HealthMemory;
}

/** Probes processes that are RUNNING, each one at a time, and has those restarted that fail too often. */
export class HealthMonitor {
  private readonly deps: HealthMonitorDependencies;
  private readonly watches = new Map<string, Watch>();
  private readonly probes = new Set<Promise<void>>();
  private changed = new AbortController();

  constructor(deps: HealthMonitorDependencies) {
    this.deps = deps;
  }

  /** Goes on until the signal aborts; a probe that is under way then is ended with it. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.changed.abort(), { once: true });
    while (!signal.aborted) {
      this.changed = new AbortController();
      const { clock } = this.deps;
      if (this.look(signal)) await clock.sleep(tickMs, signal).catch(() => undefined);
      else await untilAborted(this.changed.signal);
    }
    await Promise.all(this.probes);
  }

  /** An app came, went, or may have another `supervisor.conf`. Until then nothing is looked at if nothing has a probe. */
  appsChanged(): void {
    this.changed.abort();
  }

  /** What is known of a process' health; undefined when it isn't probed. */
  health(key: string): ProcessHealth | undefined {
    const watch = this.watches.get(key);
    if (watch === undefined) return undefined;
    const { memory, maxFailures } = watch;
    const failing = isFailing(memory, maxFailures);
    return {
      health: failing ? "failing" : "ok",
      healthRestarts: memory.restarts,
      ...(failing && memory.detail !== undefined && { healthDetail: memory.detail }),
    };
  }

  /** @returns whether there is anything to be probed */
  private look(signal: AbortSignal): boolean {
    const processes = this.deps.processes();
    const now = this.deps.clock.monotonic();
    for (const key of this.watches.keys()) {
      if (!processes.some((process) => process.key === key)) this.watches.delete(key);
    }
    for (const process of processes) {
      const watch = this.watchOf(process, now);
      const isDue = watch !== undefined && !watch.isProbing && now >= watch.nextAtMs;
      if (!isDue || this.probes.size >= maxConcurrent) continue;
      watch.nextAtMs = now + process.intervalS * 1000;
      watch.isProbing = true;
      const probe = this.probe(process, watch, signal).finally(() => {
        watch.isProbing = false;
        this.probes.delete(probe);
      });
      this.probes.add(probe);
    }
    return processes.length > 0;
  }

  /** @returns undefined while the process is not RUNNING */
  private watchOf(
    { key, directory, state, pid, intervalS, maxFailures }: ProbedProcess,
    now: number,
  ): Watch | undefined {
    let watch = this.watches.get(key);
    if (watch?.maxFailures !== maxFailures) {
      const memory = new HealthFile(directory, this.deps.system).read();
      watch = { maxFailures, pid: 0, nextAtMs: 0, isProbing: false, memory };
      this.watches.set(key, watch);
    }
    if (state !== "RUNNING" || pid === undefined) return undefined;
    if (watch.pid !== pid) {
      watch.pid = pid;
      watch.nextAtMs = now + intervalS * 1000;
    }
    return watch;
  }

  private async probe(process: ProbedProcess, watch: Watch, signal: AbortSignal): Promise<void> {
    const { logger, uptimeCs } = this.deps;
    const { key, pid } = process;
    try {
      const result = await this.ask(process, signal);
      // What has ended or was started anew meanwhile is not what the answer is about.
      if (signal.aborted || watch.pid !== pid) return;
      const before = watch.memory;
      const { memory, action } = afterProbe(before, result, process.maxFailures, uptimeCs());
      watch.memory = memory;
      if (JSON.stringify(before) !== JSON.stringify(memory)) {
        new HealthFile(process.directory, this.deps.system).write(memory);
      }
      if (!result.ok) logger.info("a health probe failed", { app: key, detail: result.detail });
      this.act(process, action, before, memory);
    } catch (error) {
      logger.error("a health probe could not be made", { app: key, error: describeError(error) });
    }
  }

  private async ask({ directory, url, timeoutS }: ProbedProcess, signal: AbortSignal): Promise<ProbeResult> {
    const { system, probeCommand } = this.deps;
    const timeoutMs = timeoutS * 1000;
    if (url !== undefined) return system.probeUrl(url, { timeoutMs, signal });
    const [command, ...args] = probeCommand(directory);
    const outcome = await system.runProcess({
      command,
      args,
      cwd: "/",
      env: {},
      timeoutMs,
      killAfterMs,
      maxOutputBytes: keptOutputBytes,
      signal,
    });
    return describeOutcome(outcome, timeoutS);
  }

  private act(
    { key, maxFailures }: ProbedProcess,
    action: HealthAction,
    before: HealthMemory,
    { restarts, detail }: HealthMemory,
  ): void {
    const { logger, report } = this.deps;
    switch (action.kind) {
      case "none":
        return;
      case "recovered":
        logger.info("the app is well again", { app: key });
        return;
      case "hold":
        // Said once, and not at every probe that comes before the time is over.
        if (before.failures + 1 !== maxFailures) return;
        logger.warn("the app is unhealthy, but was restarted too short a while ago", {
          app: key,
          detail,
          restartInS: Math.ceil(action.leftCs / 100),
        });
        return;
      case "restart": {
        const nextS = holdCs(restarts) / 100;
        logger.warn("the app is unhealthy and is restarted", { app: key, detail, restarts, nextS });
        const often = restarts === 1 ? "" : `, for the ${restarts}th time in a row`;
        report(
          `${key} is unhealthy and was restarted${often}: ${maxFailures} probes in a row failed: ${detail ?? ""}`,
        );
        this.restart(key);
      }
    }
  }

  /** The launcher stops the app by its own stop signal and time, and pm2 starts the next launcher. */
  private restart(key: string): void {
    const { launcher, system, logger } = this.deps;
    const found = launcher(key);
    if (found === undefined || !system.isSameProcessAlive(found)) return;
    try {
      process.kill(found.pid, "SIGTERM");
    } catch (error) {
      // Gone in the meantime: then the app is about to be started anyway.
      logger.debug("signal not delivered", { app: key, pid: found.pid, error });
    }
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

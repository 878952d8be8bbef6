import { truncateSync } from "node:fs";
import { constants } from "node:os";
import type { AppStatus, ProcessStatus } from "../core/app-status.ts";
import type { Clock } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import {
  inOrder,
  isRunningState,
  isSignallableState,
  type ProcessFault,
  type ProcessRequest,
  type ProcessResult,
  processFacts,
  processStatuses,
  type SupervisedProcess,
} from "../core/process-api.ts";
import type { ProcessIdentity } from "../platform/process-table.ts";
import { SupervisorConfError } from "./errors.ts";
import type { SupervisorConf } from "./supervisor-conf/index.ts";

export interface ProcessControlDependencies {
  readonly statuses: () => readonly AppStatus[];
  /** @throws SupervisorConfError */
  readonly conf: (app: string) => SupervisorConf;
  /** Whether an app's `supervisor.conf` is another than the one that it was started with. @throws SupervisorConfError */
  readonly confHasChanged: (app: string) => boolean;
  /** The process itself, while it lives. */
  readonly child: (app: string, process: string) => ProcessIdentity | undefined;
  readonly startProcess: (app: string, process: string) => Promise<void>;
  readonly stopProcess: (app: string, process: string) => Promise<void>;
  readonly restartApp: (app: string) => Promise<void>;
  readonly clock: Clock;
}

type Operation = (process: SupervisedProcess) => Promise<Outcome> | Outcome;
interface Outcome {
  readonly fault: ProcessFault | null;
  readonly description?: string;
}

const done: Outcome = { fault: null };
const pollMs = 50;
/** Beyond its `startsecs` a start may wait for the end of what ran before, or for pm2's daemon. */
const startMarginMs = 60_000;

/** Apps' processes as supervisord's RPC interface shows and changes them (core/process-api.ts). */
export class ProcessControl {
  private readonly deps: ProcessControlDependencies;

  constructor(deps: ProcessControlDependencies) {
    this.deps = deps;
  }

  /** By group and name. */
  processes(): readonly SupervisedProcess[] {
    return inOrder(
      this.deps
        .statuses()
        .flatMap((app) => processStatuses(app).map((process) => this.describe(app.name, process))),
    );
  }

  /** Starts what is asked for, and resolves when each has lasted its `startsecs`, or has not. */
  start(request: ProcessRequest): Promise<readonly ProcessResult[]> {
    return this.each(
      request,
      ({ state }) => !isRunningState(state),
      async (process) => {
        if (isRunningState(process.state)) return { fault: "ALREADY_STARTED" };
        await this.deps.startProcess(process.group, process.name);
        return this.started(process);
      },
    );
  }

  /** Stops what is asked for, and resolves when each has ended. Stopped, it stays so across reboots. */
  stop(request: ProcessRequest): Promise<readonly ProcessResult[]> {
    return this.each(
      request,
      ({ state }) => isRunningState(state) || state === "FATAL" || state === "UNKNOWN",
      async (process) => {
        // One that is through stays what it is. The others would be tried again sooner or later.
        if (process.state !== "EXITED") await this.deps.stopProcess(process.group, process.name);
        return isRunningState(process.state) ? done : { fault: "NOT_RUNNING" };
      },
    );
  }

  signal(request: ProcessRequest): Promise<readonly ProcessResult[]> {
    const number = signalNumber(request.signal ?? "");
    return this.each(
      request,
      ({ state }) => isSignallableState(state),
      (process) => {
        if (number === undefined) return { fault: "BAD_SIGNAL" };
        const child = isSignallableState(process.state)
          ? this.deps.child(process.group, process.name)
          : undefined;
        if (child === undefined) return { fault: "NOT_RUNNING" };
        globalThis.process.kill(child.pid, number);
        return done;
      },
    );
  }

  /** Empties the log files. */
  clear(request: ProcessRequest): Promise<readonly ProcessResult[]> {
    return this.each(
      request,
      () => true,
      ({ stdoutLog, stderrLog }) => {
        for (const file of [stdoutLog, stderrLog]) if (file !== undefined) empty(file);
        return done;
      },
    );
  }

  /** Apps whose `supervisor.conf` says something else than when they were started. @throws SupervisorConfError */
  changedGroups(): readonly string[] {
    const groups = new Set(this.processes().map(({ group }) => group));
    return [...groups].filter((group) => this.deps.confHasChanged(group));
  }

  /** Starts apps anew, as their files now say; those that are wanted stopped stay so. */
  async renew(groups: readonly string[]): Promise<void> {
    const stopped = new Set(
      this.deps
        .statuses()
        .filter(({ state }) => state === "STOPPED")
        .map(({ name }) => name),
    );
    const restarted = groups.filter((group) => !stopped.has(group));
    await Promise.all(restarted.map((group) => this.deps.restartApp(group)));
  }

  private describe(group: string, status: ProcessStatus): SupervisedProcess {
    const { autostart, priority } = this.settings(group);
    return {
      ...processFacts(group, status),
      autostart,
      priority,
    };
  }

  private settings(app: string): Pick<SupervisorConf, "autostart" | "priority" | "startSecs"> {
    try {
      return this.deps.conf(app);
    } catch (error) {
      // A file that is wrong shows as FATAL, with the reason; until it is mended these are supervisord's defaults.
      if (!(error instanceof SupervisorConfError)) throw error;
      return { autostart: true, priority: 999, startSecs: 1 };
    }
  }

  /** @param concerns which of several are meant, where none is named */
  private async each(
    { group, process: name }: ProcessRequest,
    concerns: (process: SupervisedProcess) => boolean,
    operation: Operation,
  ): Promise<readonly ProcessResult[]> {
    const all = this.processes().filter((process) => group === undefined || process.group === group);
    const named = name === undefined ? all.filter(concerns) : all.filter((process) => process.name === name);
    if (group !== undefined && (all.length === 0 || (name !== undefined && named.length === 0))) {
      return [{ group, name: name ?? "*", fault: "BAD_NAME", description: "" }];
    }
    const results: ProcessResult[] = [];
    const byPriority = named.toSorted((one, other) => one.priority - other.priority);
    await Promise.all(
      byPriority.map(async (process) => {
        const outcome = await attempt(operation, process);
        results.push({ group: process.group, name: process.name, description: "", ...outcome });
      }),
    );
    return results;
  }

  private async started({ group, name }: SupervisedProcess): Promise<Outcome> {
    const { clock } = this.deps;
    const deadline = clock.monotonic() + this.settings(group).startSecs * 1000 + startMarginMs;
    for (;;) {
      const process = this.processes().find((one) => one.group === group && one.name === name);
      switch (process?.state) {
        case "RUNNING":
        // It lasted its `startsecs`, and has come to its end since.
        case "EXITED":
          return done;
        case "BACKOFF":
        case "FATAL":
          return { fault: spawnFault(process.spawnError) };
        case "STOPPED":
        case undefined:
          return { fault: "ABNORMAL_TERMINATION" };
        default:
          if (clock.monotonic() >= deadline) return { fault: "ABNORMAL_TERMINATION" };
          await clock.sleep(pollMs);
      }
    }
  }
}

async function attempt(operation: Operation, process: SupervisedProcess): Promise<Outcome> {
  try {
    return await operation(process);
  } catch (error) {
    const label = process.group === process.name ? process.name : `${process.group}:${process.name}`;
    return { fault: "FAILED", description: `${label}: ERROR (${describeError(error)})` };
  }
}

/** What the launcher says of a start that failed, in the terms of supervisord's RPC interface. */
function spawnFault(detail: string | undefined): ProcessFault {
  if (detail?.startsWith("can't find command")) return "NO_FILE";
  if (detail?.startsWith("command at")) return "NOT_EXECUTABLE";
  return "SPAWN_ERROR";
}

function signalNumber(text: string): number | undefined {
  const number = Number(text);
  if (/^\d+$/.test(text)) return Object.values(constants.signals).find((known) => known === number);
  const name = text.toUpperCase();
  const signals: Readonly<Record<string, number>> = constants.signals;
  return signals[name.startsWith("SIG") ? name : `SIG${name}`];
}

function empty(file: string): void {
  try {
    truncateSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

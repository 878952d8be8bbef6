import type { AppState, AppStatus, ProcessStatus } from "./app-status.ts";

/**
 * What `supervisorctl` asks of a running engine, over the socket of core/control-api.ts:
 *
 * - `GET /processes` → 200 `SupervisedProcess[]`, by group and name
 * - `POST /processes/start|stop|signal|clear` with `ProcessRequest` → 200 `ProcessResult[]`, in the order in which they
 *   came about: a start when the process has lasted its `startsecs`, a stop when it has ended
 * - `POST /processes/reread` → 200 `GroupChanges`: whose `supervisor.conf` differs from the one it was started with; 409
 *   when one of them is wrong
 * - `POST /processes/update` with `UpdateRequest` → 200 `GroupChanges`: those are started anew, and are up
 * - `POST /processes/reload` → 200 `GroupChanges`: every process that is wanted is started anew
 */
export interface SupervisedProcess {
  readonly group: string;
  readonly name: string;
  readonly state: AppState;
  readonly pid?: number;
  /** Start of the running process. Unix milliseconds, as is the next. */
  readonly startedAtMs?: number;
  /** End of the run before. */
  readonly endedAtMs?: number;
  /** Why it could not be started. */
  readonly spawnError?: string;
  readonly stdoutLog?: string;
  readonly stderrLog?: string;
  readonly autostart: boolean;
  readonly priority: number;
}

/** Neither `group` nor `process`: all. `group` alone: all of the group. */
export interface ProcessRequest {
  readonly group?: string;
  readonly process?: string;
  /** `HUP`, `SIGHUP` or `1`; for `signal` only. */
  readonly signal?: string;
}

/** By the names of supervisord's faults. */
export const processFaults = [
  "BAD_NAME",
  "BAD_SIGNAL",
  "NO_FILE",
  "NOT_EXECUTABLE",
  "FAILED",
  "ABNORMAL_TERMINATION",
  "SPAWN_ERROR",
  "ALREADY_STARTED",
  "NOT_RUNNING",
] as const;
export type ProcessFault = (typeof processFaults)[number];

export interface ProcessResult {
  readonly group: string;
  readonly name: string;
  /** null: it was done. */
  readonly fault: ProcessFault | null;
  /** For a person, where there is more to say. */
  readonly description: string;
}

export interface UpdateRequest {
  /** Empty: all of them. */
  readonly groups: readonly string[];
}

export interface GroupChanges {
  readonly changed: readonly string[];
}

/** Processes in these states run, or are about to. */
const runningStates: ReadonlySet<AppState> = new Set(["STARTING", "RUNNING", "BACKOFF"]);
/** There is a process to send a signal to. */
const signallableStates: ReadonlySet<AppState> = new Set(["STARTING", "RUNNING", "STOPPING"]);
/** Nothing runs, and nothing will by itself. */
const stoppedStates: ReadonlySet<AppState> = new Set(["STOPPED", "EXITED", "FATAL", "UNKNOWN"]);

export function isRunningState(state: AppState): boolean {
  return runningStates.has(state);
}

export function isSignallableState(state: AppState): boolean {
  return signallableStates.has(state);
}

export function isStoppedState(state: AppState): boolean {
  return stoppedStates.has(state);
}

/** What a status tells of a process, in the terms of this interface. */
export type ProcessFacts = Omit<SupervisedProcess, "autostart" | "priority">;

export function processFacts(group: string, status: ProcessStatus): ProcessFacts {
  const { name, state, pid, startedAtMs, endedAtMs, detail, logFile, stderrLogFile } = status;
  return {
    group,
    name,
    state,
    ...(pid !== undefined && { pid }),
    ...(startedAtMs !== undefined && { startedAtMs }),
    ...(endedAtMs !== undefined && { endedAtMs }),
    ...(detail !== undefined && { spawnError: detail }),
    ...(logFile !== undefined && { stdoutLog: logFile }),
    ...(stderrLogFile !== undefined && { stderrLog: stderrLogFile }),
  };
}

/** The processes of an app; none of one that is not supervised. */
export function processStatuses(app: AppStatus): readonly ProcessStatus[] {
  return app.kind === "long-running" ? (app.processes ?? [app]) : [];
}

/** As Python sorts, and so supervisord: by code point, whatever the locale; by group and then by name. */
export function inOrder<P extends Pick<SupervisedProcess, "group" | "name">>(
  processes: readonly P[],
): readonly P[] {
  const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
  return processes.toSorted((one, other) => compare(one.group, other.group) || compare(one.name, other.name));
}

/** supervisord's process states, by its names (spec: custom-gateway-applications.md). */
export const appStates = [
  "STOPPED",
  "STARTING",
  "RUNNING",
  "BACKOFF",
  "STOPPING",
  "EXITED",
  "FATAL",
  "UNKNOWN",
] as const;

export type AppState = (typeof appStates)[number];

/** An app's three kinds: supervised, run once by its installer, or only imported by others. */
export type AppKind = "long-running" | "one-off" | "library";

/** Of a process that is probed (`[gwe]` in its `supervisor.conf`). */
export interface ProcessHealth {
  readonly health: "ok" | "failing";
  /** Restarts for its health's sake since it was last well for long. */
  readonly healthRestarts: number;
  /** What the last failed probe said, while it is failing. */
  readonly healthDetail?: string;
}

/** What is known of one supervised process. Times are unix milliseconds. */
export interface ProcessStatus extends Partial<ProcessHealth> {
  /** supervisord's process name: the app's, or what `process_name` makes of it. */
  readonly name: string;
  readonly state: AppState;
  /** Since when it is in this state: its last transition. */
  readonly sinceMs: number;
  readonly pid?: number;
  /** Start of the running process. */
  readonly startedAtMs?: number;
  /** End of the last process that ended. */
  readonly endedAtMs?: number;
  /** Of the last process that ended. */
  readonly exitStatus?: number;
  /** It is EXITED for a moment only: its policy has it started again. */
  readonly restarting?: true;
  /** Signal name (`SIGSEGV`) when the last process was killed by one. */
  readonly signal?: string;
  /** Starts by the supervisor after an end that nobody asked for. */
  readonly restarts: number;
  readonly logFile?: string;
  /** Where stderr has a log of its own. */
  readonly stderrLogFile?: string;
  /** Why it is FATAL or UNKNOWN, for a person. */
  readonly detail?: string;
}

/**
 * What is known of one hosted app, by the app's name. An app of several processes (`numprocs`) is as badly off as the
 * worst of them, whose facts these are; `restarts` counts those of all.
 */
export interface AppStatus extends ProcessStatus {
  readonly version: string;
  readonly kind: AppKind;
  /** Each process, where there are several or the only one has a name of its own (`process_name`). */
  readonly processes?: readonly ProcessStatus[];
}

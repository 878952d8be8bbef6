import type { GweSettings } from "./gwe-section.ts";
import type { Autorestart, LogTarget } from "./values.ts";

/** One output stream's log. */
export interface StreamLog {
  readonly target: LogTarget;
  /** 0: never rotated. */
  readonly maxBytes: number;
  /** 0: truncated instead of kept. */
  readonly backups: number;
  readonly syslog: boolean;
}

/** One process of a program, every default filled in and every expansion done. */
export interface ProcessSettings {
  readonly processName: string;
  readonly processNum: number;
  readonly command: readonly string[];
  /** As written; the installed app's own directory when the file names none. */
  readonly directory: string;
  /** What the file adds to the supervisor's own environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly stdout: StreamLog;
  readonly stderr: StreamLog;
}

/** A `supervisor.conf`, understood. Times in seconds, as the file has them. */
export interface SupervisorConf {
  readonly programName: string;
  readonly groupName: string;
  readonly priority: number;
  readonly autostart: boolean;
  readonly autorestart: Autorestart;
  readonly exitCodes: readonly number[];
  readonly startSecs: number;
  readonly startRetries: number;
  /** Without `SIG`. */
  readonly stopSignal: string;
  readonly stopWaitSecs: number;
  readonly stopAsGroup: boolean;
  readonly killAsGroup: boolean;
  readonly umask: number;
  readonly user: string | undefined;
  readonly redirectStderr: boolean;
  readonly serverUrl: string | undefined;
  /** The engine's own section. */
  readonly gwe: GweSettings;
  /** One per `numprocs`, in order. */
  readonly processes: readonly [ProcessSettings, ...ProcessSettings[]];
  /** What is accepted but has no effect, one sentence each, for the operator. */
  readonly warnings: readonly string[];
}

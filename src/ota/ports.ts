import type { Database } from "better-sqlite3";
import type { AppHost } from "../core/app-host.ts";
import type { Clock, Random } from "../core/clock.ts";
import type { Logger } from "../core/logger.ts";
import type { Redact } from "../core/redact.ts";
import type { ReportOutbox } from "../core/reports.ts";
import type { DeviceApi } from "../device-client/index.ts";
import type { AttendedOutcome } from "../platform/attendant/attended-outcome.ts";
import type { AttendedRun, AttendedRunOptions } from "../platform/attendant/attended-run.ts";
import type { DurableFiles } from "../platform/durable-files.ts";
import type { ProcessIdentity } from "../platform/process-table.ts";
import type { RunWorkerOptions } from "../platform/worker-process.ts";
import type { EngineUpdateHost } from "./engine-update.ts";
import type { OtaLimits } from "./limits.ts";
import type { SettingsHost } from "./settings-host.ts";
import type { Phase } from "./state-machine.ts";
import type { SignaturePolicy } from "./verification/signature-policy.ts";

/** What the pipeline asks of the operating system; each is the function of that name in `platform/`. */
export interface OtaPlatform {
  readonly files: DurableFiles;
  readonly startAttended: (options: AttendedRunOptions) => AttendedRun;
  readonly attendantEnded: (
    attendant: ProcessIdentity,
    directory: string,
    signal: AbortSignal,
  ) => Promise<void>;
  readonly attendedHasEnded: (directory: string) => boolean;
  readonly attendedOutcome: (directory: string, maxOutputBytes: number) => AttendedOutcome | undefined;
  readonly attendedGroup: (directory: string) => number | undefined;
  readonly runWorker: (options: RunWorkerOptions) => Promise<unknown>;
  readonly processStartTicks: (pid: number) => number | undefined;
  readonly isSameProcessAlive: (process: ProcessIdentity) => boolean;
  readonly processesMarked: (marks: Readonly<Record<string, string>>) => readonly number[];
  readonly signalMarked: (marks: Readonly<Record<string, string>>, signal: NodeJS.Signals) => void;
  readonly signalGroup: (leader: number, signal: NodeJS.Signals) => void;
  readonly bootId: () => string;
}

/** One journaled step of one job. */
export interface TransitionNotice {
  readonly job: number;
  readonly app: string;
  readonly from: Phase;
  readonly to: Phase;
}

export interface OtaDependencies {
  /** Holds `otaMigrations`, and the tables of `outbox`. */
  readonly db: Database;
  readonly content: Pick<DeviceApi, "contentInfo" | "download">;
  readonly host: AppHost;
  readonly outbox: ReportOutbox;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Installers print CIKs: all their output goes through this before it is stored or sent. */
  readonly redact: Redact;
  /** Absolute. All are the pipeline's own, on the state directory's file system. `scripts`: what comes of those that run. */
  readonly directories: { readonly packages: string; readonly apps: string; readonly scripts: string };
  /** Absolute; `etc/keys`. Need not exist. */
  readonly keysDirectory: string;
  readonly requireSignature: SignaturePolicy;
  /** Whether a version older than the installed one may be installed. A rollback always may. */
  readonly allowDowngrade: boolean;
  /** Undefined in a run that makes no check-ins: changes of settings are left to one that does. */
  readonly settings: SettingsHost | undefined;
  /** Undefined in a run that makes no check-ins: an engine's own update is left to one that does. */
  readonly engineUpdate: EngineUpdateHost | undefined;
  readonly limits: OtaLimits;
  readonly fetchStatusFormat: "json" | "text";
  /** The daemon's environment; installers get what `installerEnvironment` lets through. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: OtaPlatform;
  /** The Node program, and the bundle of `worker/main.ts` that it runs to unpack. */
  readonly nodeFile: string;
  readonly workerFile: string;
  /** `attendant.sh` as shipped. */
  readonly attendantFile: string;
  /** Called after each commit of the journal. Tests end the process here. */
  readonly onTransition?: (notice: TransitionNotice) => void;
}

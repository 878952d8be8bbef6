import type { AppStatus } from "./app-status.ts";

/**
 * What `gwe` asks of a running engine: HTTP and JSON over the Unix socket `run/gwe.sock`.
 *
 * - `GET /status` → 200 `EngineStatus`
 * - `POST /apps/<name>/start|stop|restart` → 200 `AppStatus`; 404 unknown app; 409 not a long-running app
 * - `POST /check-in` → 202: a check-in is brought forward
 * - `POST /install` with `InstallRequest` → 200 `InstallResult[]` when all are done
 * - `POST /apps/<name>/remove` → 200 `InstallResult` when it is done, or has failed
 * - `GET /history`, `GET /history/<app>` → 200 `JobRecord[]`, newest first
 * - `GET /processes` and `POST /processes/…`: core/process-api.ts
 *
 * Every error answer is a `ControlError`.
 */
export interface EngineStatus {
  readonly engine: {
    readonly version: string;
    readonly pid: number;
    readonly startedAtMs: number;
    readonly home: string | null;
  };
  readonly device: {
    readonly vendor: string;
    readonly model: string;
    readonly serial: string;
    readonly server: string;
    readonly activated: boolean;
  };
  readonly checkIn: {
    readonly mode: "interval" | "long-poll";
    readonly intervalS: number;
    readonly lastSuccessAtMs: number | null;
    readonly nextAtMs: number | null;
    /** The newest failure that no later success has followed. */
    readonly lastError: string | null;
  };
  /** The engine's own time (docs/clock.md); the times here are by it, but for those of apps: the system's clock. */
  readonly clock: {
    /** Unix milliseconds. */
    readonly nowMs: number;
    /** `system`, `murano`, `kept`, `assumed`; null while nobody knows the true time. */
    readonly trustedBy: string | null;
    /** How far the system's clock is ahead of it, milliseconds; null likewise. */
    readonly wallErrorMs: number | null;
  };
  /** Reports that wait for the next check-in. */
  readonly outbox: { readonly waiting: number };
  readonly jobs: readonly JobStatus[];
  readonly apps: readonly AppStatus[];
}

/** An installation that has not ended yet. */
export interface JobStatus {
  readonly app: string;
  readonly version: string;
  readonly state: string;
  readonly receivedBytes?: number;
  readonly totalBytes?: number;
}

export interface InstallRequest {
  /** Absolute paths of tarballs on this gateway. */
  readonly files: readonly string[];
}

export interface InstallResult {
  readonly name: string;
  readonly version: string;
  /** `installed`, `failed`, … as in `fetch_status`. */
  readonly status: string;
  readonly exitCode: number | null;
  readonly output: string;
}

/** A job of the past, or one that has not ended. */
export interface JobRecord {
  readonly app: string;
  readonly version: string;
  /** `install`, `remove`, `rollback` … */
  readonly action: string;
  /** `installed`, `failed` … as in `fetch_status`; the job's state while it has not ended. */
  readonly status: string;
  /** Unix milliseconds. */
  readonly startedAtMs: number | null;
  readonly finishedAtMs: number | null;
  readonly exitCode: number | null;
  readonly output: string;
}

export interface ControlError {
  readonly error: { readonly code: string; readonly message: string };
}

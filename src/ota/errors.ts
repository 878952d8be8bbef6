import { type ErrorDetails, GweError } from "../core/errors.ts";

/** What a step's failure tells beside its message, which goes to `fetch_status` as it is. */
export interface StepFailureDetails extends ErrorDetails {
  /** Of the installer, when it ran to an end. */
  readonly exitCode?: number | null;
  readonly output?: string;
  readonly outputBytesCut?: number;
}

/** A step of an installation ended for good in failure. The message is written for the operator who sent the command. */
export class StepFailure extends GweError {
  readonly code = "OTA_STEP_FAILED";
  readonly exitCode: number | null;
  readonly output: string;
  readonly outputBytesCut: number;

  constructor(message: string, details: StepFailureDetails = {}) {
    super(message, details);
    this.exitCode = details.exitCode ?? null;
    this.output = details.output ?? "";
    this.outputBytesCut = details.outputBytesCut ?? 0;
  }
}

/** The downloaded package is no longer there, or not whole: it has to be fetched again. */
export class PackageLostError extends GweError {
  readonly code = "OTA_PACKAGE_LOST";
}

/** The pipeline is being stopped: the journal keeps the state and the next start goes on from it. */
export class StoppedError extends GweError {
  readonly code = "OTA_STOPPED";
}

/** A script was cut short without a word of how: its attendant, or the whole gateway, has gone down. */
export class ScriptLostError extends GweError {
  readonly code = "OTA_SCRIPT_LOST";
}

/** The job being worked on was called off, which the journal has on record. */
export class CancelledError extends GweError {
  readonly code = "OTA_CANCELLED";
}

const diskCodes: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EROFS", "EIO"]);

/** The disk is full or broken: no fault of a package. */
export function isDiskTrouble(error: unknown): boolean {
  return diskCodes.has((error as NodeJS.ErrnoException).code);
}

/** The database could not do its work: no fault of a package either. */
export function isDatabaseTrouble(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === "string" && code.startsWith("SQLITE_");
}

/** A row of the journal that this version cannot read. */
export class JournalError extends GweError {
  readonly code = "OTA_JOURNAL";
}

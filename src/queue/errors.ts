import { GweError } from "../core/errors.ts";

/** Limits refuse what was to be accepted: it is not stored. Answered 507. */
export class QueueFullError extends GweError {
  readonly code = "QUEUE_FULL";
}

/**
 * The disk did not take it. It may be there nonetheless, as after a lost answer: nothing was promised. Answered 503,
 * or 507 where the disk is full.
 */
export class QueueUnavailableError extends GweError {
  readonly code = "QUEUE_UNAVAILABLE";
  readonly isDiskFull: boolean;

  constructor(cause: unknown, isDiskFull: boolean) {
    super(isDiskFull ? "the disk is full" : "the queue cannot write to its disk", { cause });
    this.isDiskFull = isDiskFull;
  }
}

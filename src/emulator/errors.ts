import { GweError } from "../core/errors.ts";

/** An answer other than success that a route gives by throwing. The message becomes the body, for a person. */
export class HttpProblem extends GweError {
  readonly code = "HTTP_PROBLEM";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message, { context: { status } });
    this.status = status;
    this.headers = headers;
  }
}

/** The emulator cannot start with these options or on this data directory. */
export class EmulatorStartError extends GweError {
  readonly code = "EMULATOR_START";
}

/** An argument on the command line that is not understood. */
export class UsageError extends GweError {
  readonly code = "USAGE";
}

/** What was waited for did not happen in time. */
export class WaitTimeoutError extends GweError {
  readonly code = "WAIT_TIMEOUT";
}

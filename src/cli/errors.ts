import { GweError } from "../core/errors.ts";

/** The command line cannot be understood. */
export class UsageError extends GweError {
  readonly code = "USAGE";
}

/** What was asked could not be done; the message says why. */
export class CommandError extends GweError {
  readonly code = "COMMAND";
}

/** Nothing listens on the control socket. */
export class EngineNotRunningError extends GweError {
  readonly code = "ENGINE_NOT_RUNNING";
}

/** The control socket is not for this user. */
export class ControlAccessError extends GweError {
  readonly code = "CONTROL_ACCESS";
}

/** The running engine refused, or answered what nobody understands. `engineCode` is its own code. */
export class ControlRefusedError extends GweError {
  readonly code = "CONTROL_REFUSED";
  readonly engineCode: string | undefined;

  constructor(message: string, engineCode?: string) {
    super(message, { context: { engineCode } });
    this.engineCode = engineCode;
  }
}

/** The engine ended, or was ended, before it answered. */
export class ControlBrokenOffError extends ControlRefusedError {}

/** Nothing is wrong with what was asked: it may succeed later. */
export class TryLaterError extends GweError {
  readonly code = "TRY_LATER";
}

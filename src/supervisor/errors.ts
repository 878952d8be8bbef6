import { GweError } from "../core/errors.ts";

/** `supervisor.conf` says something that supervisord would refuse; message and context name option, value and line. */
export class SupervisorConfError extends GweError {
  readonly code = "SUPERVISOR_CONF";
}

/** No app of this name is installed. */
export class UnknownAppError extends GweError {
  readonly code = "UNKNOWN_APP";
}

/** The app has nothing to supervise: it is a one-off or a library. */
export class NotSupervisedError extends GweError {
  readonly code = "NOT_SUPERVISED";
}

/** pm2's daemon cannot be reached or started. */
export class Pm2UnavailableError extends GweError {
  readonly code = "PM2_UNAVAILABLE";
}

/** pm2's daemon did not answer in time. */
export class Pm2TimeoutError extends GweError {
  readonly code = "PM2_TIMEOUT";
}

/** pm2's daemon refused a call, or answered what it should not. */
export class Pm2CallError extends GweError {
  readonly code = "PM2_CALL";
}

/** A process of an earlier start would not end; starting another would run the app twice. */
export class StrayProcessError extends GweError {
  readonly code = "STRAY_PROCESS";
}

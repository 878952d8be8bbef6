import { GweError } from "../core/errors.ts";

/** Exit statuses of `gwe`, `gdc` and `gmq` (docs/gwe-command.md, "Exit status"). */
export const exitStatus = {
  ok: 0,
  failed: 1,
  usage: 2,
  engineNotRunning: 3,
  permissionDenied: 4,
  /** Murano could not be reached or could not answer: the same call may succeed later. */
  tryLater: 5,
  unauthorized: 6,
  /** A long poll ended without a new value. */
  nothingNew: 7,
  /** 409: activation is not open for this serial, or timestamps are too close to one another. */
  conflict: 8,
  /** The spec's status for a gateway that lacks what it needs to run. */
  configuration: 255,
} as const;

// By code, not by class: naming the classes of the device client here would load it with every command.
const byCode: Readonly<Record<string, number>> = {
  USAGE: exitStatus.usage,
  ENGINE_NOT_RUNNING: exitStatus.engineNotRunning,
  CONTROL_ACCESS: exitStatus.permissionDenied,
  CONFIG_ACCESS: exitStatus.permissionDenied,
  CONFIG: exitStatus.configuration,
  TRY_LATER: exitStatus.tryLater,
  NETWORK: exitStatus.tryLater,
  TIMEOUT: exitStatus.tryLater,
  SERVER: exitStatus.tryLater,
  RATE_LIMITED: exitStatus.tryLater,
  MALFORMED_ANSWER: exitStatus.tryLater,
  UNAUTHORIZED: exitStatus.unauthorized,
  CONFLICT: exitStatus.conflict,
};

export function exitStatusOf(error: unknown): number {
  return error instanceof GweError ? (byCode[error.code] ?? exitStatus.failed) : exitStatus.failed;
}

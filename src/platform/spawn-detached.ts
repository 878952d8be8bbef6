import { spawn } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { GweError } from "../core/errors.ts";
import { type ProcessIdentity, processStartTicks } from "./process-table.ts";
import type { ProcessImage } from "./replace-process.ts";

export interface SpawnDetachedOptions extends ProcessImage {
  /** Takes stdout and stderr, appended; created with mode 0600. */
  readonly logFile: string;
}

/** The program could not be started. */
class SpawnError extends GweError {
  readonly code = "SPAWN";
}

/**
 * Starts a program in a session of its own that outlives this process and does not keep it alive.
 *
 * @throws SpawnError when it can't be executed
 */
export function spawnDetached(options: SpawnDetachedOptions): ProcessIdentity {
  const log = openSync(options.logFile, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o600);
  try {
    const child = spawn(options.command, [...options.args], {
      cwd: options.cwd,
      env: { ...options.env },
      detached: true,
      stdio: ["ignore", log, log],
    });
    let failure: Error | undefined;
    child.once("error", (error) => {
      failure = error;
    });
    child.unref();
    const startTicks = child.pid === undefined ? undefined : processStartTicks(child.pid);
    if (child.pid === undefined || startTicks === undefined) {
      throw new SpawnError("could not start a program", {
        context: { command: options.command },
        cause: failure,
      });
    }
    return { pid: child.pid, startTicks };
  } finally {
    closeSync(log);
  }
}

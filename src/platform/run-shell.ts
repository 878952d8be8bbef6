import { spawn } from "node:child_process";
import { describeError } from "../core/errors.ts";

/**
 * Runs a shell command for the person at the terminal: its output goes to this process' stderr, Ctrl-C reaches it, and
 * it reads nothing. Resolves to how it ended, in words; "" is exit status 0. Never rejects.
 */
export function runShell(
  command: string,
  directory: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn("/bin/sh", ["-c", command], {
      cwd: directory,
      env: { ...env },
      stdio: ["ignore", 2, 2],
    });
    child.once("error", (error) => resolve(`could not be started (${describeError(error)})`));
    child.once("exit", (exitCode, signal) => {
      if (exitCode === 0) resolve("");
      else resolve(signal === null ? `ended with exit status ${exitCode}` : `was ended by ${signal}`);
    });
  });
}

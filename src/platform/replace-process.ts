import { GweError } from "../core/errors.ts";

/** A program as it is to be run. */
export interface ProcessImage {
  /** Absolute path. */
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment; nothing of ours is inherited. */
  readonly env: Readonly<Record<string, string>>;
}

/** This process could not become another program. */
class ReplaceProcessError extends GweError {
  readonly code = "REPLACE_PROCESS";
}

/**
 * Becomes another program: same process id, same standard input, output and error; every other file is closed, and
 * with it every lock is let go of.
 *
 * @throws ReplaceProcessError where this Node can't (execve came with 22.15)
 */
export function replaceProcess({ command, args, cwd, env }: ProcessImage): never {
  if (process.execve === undefined) {
    throw new ReplaceProcessError(`Node.js ${process.version} cannot replace a process; 22.15 or newer can`);
  }
  process.chdir(cwd);
  return process.execve(command, [command, ...args], { ...env });
}

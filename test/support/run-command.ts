import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

export const repositoryRoot = join(import.meta.dirname, "../..");

export interface CommandOptions {
  readonly home?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
  readonly uid?: number;
}

export interface CommandResult {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts one of the launchers in `bin/` as a shell would, with an environment of its own. */
export function startCommand(
  name: string,
  args: readonly string[],
  options: CommandOptions = {},
): ChildProcess {
  return spawn(name.includes("/") ? name : join(repositoryRoot, "bin", name), args, {
    cwd: options.cwd ?? "/",
    env: {
      PATH: process.env.PATH ?? "/usr/bin:/bin",
      ...(options.home === undefined ? {} : { GWE_HOME: options.home }),
      ...options.env,
    },
    stdio: "pipe",
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
}

/** Runs a launcher to its end. */
export function runCommand(
  name: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = startCommand(name, args, options);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
    child.once("error", reject);
    child.once("close", (status, signal) =>
      resolve({
        status,
        signal,
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
      }),
    );
    child.stdin?.end(options.input ?? "");
  });
}

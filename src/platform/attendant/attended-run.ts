import { spawn } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { GweError } from "../../core/errors.ts";
import type { CommandLine } from "../own-scope.ts";
import { isSameProcessAlive, type ProcessIdentity } from "../process-table.ts";

/** The attendant could not be started. */
class AttendantError extends GweError {
  readonly code = "ATTENDANT";
}

export interface AttendedRunOptions extends CommandLine {
  /** `attendant.sh` as shipped. */
  readonly attendantFile: string;
  /** Absolute; of this run alone, there and empty. Where the attendant keeps what comes of it. */
  readonly directory: string;
  readonly cwd: string;
  /** The whole environment, the attendant's own too. */
  readonly env: Readonly<Record<string, string>>;
  /** Counted by the attendant. After it the program's whole process group is ended: SIGTERM, then SIGKILL. */
  readonly timeoutMs: number;
  readonly killAfterMs: number;
  /** Bytes of the output's end that are kept. */
  readonly outputBytes: number;
  /**
   * Called with the attendant before the program's first instruction: whatever this records is on record when the
   * program runs. When it throws, or this process dies in it, the program never runs.
   */
  readonly onStarted: (pid: number) => void;
  /** How the attendant is started, such as in a scope of systemd's. */
  readonly start?: (line: CommandLine) => CommandLine;
  /** Where it is not the system's; for tests. */
  readonly shell?: readonly [string, ...string[]];
}

export interface AttendedRun {
  /** Resolves when the attendant has ended: what came of it is in the directory, if anything. Rejects when it could not be started. */
  readonly ended: Promise<void>;
  /** The run no longer keeps this process alive. It goes on. */
  leave(): void;
}

/**
 * Runs a program under an attendant, a process that outlives this one. The program leads a process group of its own.
 *
 * @throws what `onStarted` throws
 */
export function startAttended(options: AttendedRunOptions): AttendedRun {
  const { attendantFile, directory, timeoutMs, killAfterMs, outputBytes, onStarted } = options;
  const [shell, ...shellArgs] = options.shell ?? ["/bin/sh"];
  const limits = [timeoutMs / 1000, killAfterMs / 1000, outputBytes].map(String);
  const plain = {
    command: shell,
    args: [...shellArgs, attendantFile, directory, ...limits, options.command, ...options.args],
  };
  const { command, args } = options.start?.(plain) ?? plain;
  // A pipe of ours would be broken for one that has outlived us.
  const complaints = openSync(join(directory, "complaints"), "a", 0o600);
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  try {
    const child = spawn(command, [...args], {
      cwd: options.cwd,
      env: { ...options.env },
      detached: true,
      stdio: ["pipe", "ignore", complaints],
    });
    child.once("error", (cause) => reject(new AttendantError("could not be started", { cause })));
    child.once("exit", () => resolve());
    // It may have been killed meanwhile; its end is reported by `exit`.
    child.stdin?.on("error", () => undefined);
    if (child.pid !== undefined) {
      try {
        onStarted(child.pid);
      } catch (error) {
        child.stdin?.destroy();
        child.unref();
        throw error;
      }
      child.stdin?.end("go\n");
    }
    return { ended, leave: () => child.unref() };
  } finally {
    closeSync(complaints);
  }
}

/** Between looks at an attendant that has not come to open its FIFO, or whose last breath that was. */
const lookAgainMs = 50;

/**
 * Resolves when an attendant that another process started has ended. It is told by the kernel, which closes what the
 * attendant holds open. Rejects with the signal's reason.
 */
export async function attendantEnded(
  attendant: ProcessIdentity,
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  while (isSameProcessAlive(attendant)) {
    const fifo = openHeld(join(directory, "alive"));
    if (fifo === undefined) await delay(lookAgainMs, undefined, { signal }).catch(() => undefined);
    else await closed(fifo, signal);
    signal.throwIfAborted();
  }
}

/** A FIFO to read from; undefined where there is none, or nobody who could write to it. */
function openHeld(path: string): number | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    // The end at once: nobody holds it. Nobody ever writes.
    readSync(fd, Buffer.alloc(1));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return fd;
  }
  if (fd !== undefined) closeSync(fd);
  return undefined;
}

function closed(fd: number, signal: AbortSignal): Promise<void> {
  const reader = new Socket({ fd, readable: true, writable: false });
  const { promise, resolve } = Promise.withResolvers<void>();
  const give = (): void => void reader.destroy();
  reader.on("error", () => undefined);
  reader.once("close", () => {
    signal.removeEventListener("abort", give);
    resolve();
  });
  signal.addEventListener("abort", give, { once: true });
  reader.resume();
  return promise;
}

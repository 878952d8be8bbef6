import { type ChildProcess, spawn } from "node:child_process";

export interface RunProcessOptions {
  readonly command: string;
  readonly args?: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** After this the whole process group is ended: SIGTERM, then SIGKILL after `killAfterMs`. */
  readonly timeoutMs: number;
  readonly killAfterMs: number;
  /** Bytes of stdout and stderr, interleaved, that are kept: the tail. The rest is read, counted and dropped. */
  readonly maxOutputBytes: number;
  readonly signal?: AbortSignal;
  /** Called with the process group's leader as soon as it runs, so that a crash of ours can find it again. */
  readonly onStarted?: (pid: number) => void;
}

export interface ProcessOutcome {
  /** `not-started`: the program could not be executed; `failure` says why. */
  readonly end: "exited" | "signaled" | "timed-out" | "aborted" | "not-started";
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** Tail of the output, interleaved in the order it arrived. May hold any bytes. */
  readonly output: Buffer;
  readonly outputBytesCut: number;
  readonly failure: NodeJS.ErrnoException | undefined;
}

/** How long output is still read after the leader ended: a background child may hold the pipe for ever. */
const outputGraceMs = 250;

/**
 * Runs a program in its own process group with limits on time and output. Resolves when the program itself has
 * ended, even while a background child keeps its stdout open. Never rejects for what the program does.
 */
export function runProcess(options: RunProcessOptions): Promise<ProcessOutcome> {
  const tail = new TailBuffer(options.maxOutputBytes);
  return new Promise((resolve) => {
    let child: ChildProcess;
    try {
      child = spawn(options.command, [...(options.args ?? [])], {
        cwd: options.cwd,
        env: { ...options.env },
        detached: true,
        stdio: ["ignore", "pipe", "pipe"],
      });
    } catch (error) {
      resolve(notStarted(error as NodeJS.ErrnoException));
      return;
    }
    let ended: "timed-out" | "aborted" | undefined;
    let killTimer: NodeJS.Timeout | undefined;
    const endGroup = (reason: "timed-out" | "aborted"): void => {
      if (ended !== undefined || child.pid === undefined) return;
      ended = reason;
      signalGroup(child.pid, "SIGTERM");
      killTimer = setTimeout(
        () => child.pid !== undefined && signalGroup(child.pid, "SIGKILL"),
        options.killAfterMs,
      );
    };
    const timeoutTimer = setTimeout(() => endGroup("timed-out"), options.timeoutMs);
    const onAbort = (): void => endGroup("aborted");
    options.signal?.addEventListener("abort", onAbort, { once: true });
    if (options.signal?.aborted) queueMicrotask(onAbort);

    child.stdout?.on("data", (chunk: Buffer) => tail.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => tail.push(chunk));

    let settled = false;
    const settle = (outcome: Omit<ProcessOutcome, "output" | "outputBytesCut">): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timeoutTimer);
      clearTimeout(killTimer);
      options.signal?.removeEventListener("abort", onAbort);
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve({ ...outcome, output: tail.bytes(), outputBytesCut: tail.cut });
    };
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) settle(notStarted(error));
    });
    child.once("exit", (exitCode, signal) => {
      // A group that was to be ended is ended whole: its leader may have died before its children.
      if (ended !== undefined && child.pid !== undefined) signalGroup(child.pid, "SIGKILL");
      const outcome = {
        end: ended ?? (signal === null ? "exited" : "signaled"),
        exitCode: exitCode ?? undefined,
        signal: signal ?? undefined,
        failure: undefined,
      } as const;
      child.once("close", () => settle(outcome));
      setTimeout(() => settle(outcome), outputGraceMs);
    });
    if (child.pid !== undefined) options.onStarted?.(child.pid);
  });
}

function notStarted(error: NodeJS.ErrnoException): ProcessOutcome {
  return {
    end: "not-started",
    exitCode: undefined,
    signal: undefined,
    output: Buffer.alloc(0),
    outputBytesCut: 0,
    failure: error,
  };
}

/** Sends a signal to a whole process group; a group that is already gone is fine. */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Keeps the last `limit` bytes of a stream in bounded memory. */
class TailBuffer {
  private chunks: Buffer[] = [];
  private held = 0;
  cut = 0;
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  push(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.held += chunk.length;
    while (this.held > this.limit) {
      const first = this.chunks[0];
      if (first === undefined) break;
      const excess = Math.min(first.length, this.held - this.limit);
      this.cut += excess;
      this.held -= excess;
      if (excess === first.length) this.chunks.shift();
      else this.chunks[0] = first.subarray(excess);
    }
  }

  bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

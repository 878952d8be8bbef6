import { type ChildProcess, spawn } from "node:child_process";
import { Readable } from "node:stream";

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
}

export interface ProcessOutcome {
  /** `not-started`: the program could not be executed; `failure` says why. */
  readonly end: "exited" | "signaled" | "timed-out" | "aborted" | "not-started";
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** Tail of the output, interleaved in the order it arrived. May hold any bytes. */
  readonly output: Buffer;
  readonly outputBytesCut: number;
  readonly failure: unknown;
}

/** How long output is still read after the leader ended: a background child may hold the pipe for ever. */
const outputGraceMs = 250;

/**
 * Runs a program in its own process group with limits on time and output. Resolves when the program itself has
 * ended, even while a background child keeps its stdout open. Never rejects for what the program does.
 */
export function runProcess(options: RunProcessOptions): Promise<ProcessOutcome> {
  const { promise, resolve } = Promise.withResolvers<ProcessOutcome>();
  if (options.signal?.aborted) {
    resolve(withoutOutput("aborted", undefined));
    return promise;
  }
  const tail = new TailBuffer(options.maxOutputBytes);
  let child: ChildProcess;
  try {
    child = start(options);
  } catch (error) {
    resolve(withoutOutput("not-started", error));
    return promise;
  }
  const ending = new GroupEnding(child, options);
  const outputs = [child.stdout, child.stderr].filter((stream) => stream instanceof Readable);
  for (const stream of outputs) stream.on("data", (chunk: Buffer) => tail.push(chunk));
  child.once("error", (error) => {
    ending.dispose();
    for (const stream of outputs) stream.destroy();
    if (child.pid === undefined) resolve(withoutOutput("not-started", error));
  });
  child.once("exit", (exitCode, signal) => {
    ending.finish();
    const settle = (): void => {
      clearTimeout(graceTimer);
      for (const stream of outputs) stream.destroy();
      resolve({
        end: ending.reason ?? (signal === null ? "exited" : "signaled"),
        exitCode: exitCode ?? undefined,
        signal: signal ?? undefined,
        output: tail.bytes(),
        outputBytesCut: tail.bytesCut,
        failure: undefined,
      });
    };
    const graceTimer = setTimeout(settle, outputGraceMs);
    void Promise.all(outputs.map(closed)).then(settle);
  });
  return promise;
}

function closed(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) resolve();
    else stream.once("close", resolve);
  });
}

function start({ command, args = [], cwd, env }: RunProcessOptions): ChildProcess {
  return spawn(command, [...args], {
    cwd,
    env: { ...env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Ends a child's whole process group when its time is up or its caller gives up. */
class GroupEnding {
  reason: "timed-out" | "aborted" | undefined;
  private readonly child: ChildProcess;
  private readonly options: RunProcessOptions;
  private readonly timeoutTimer: NodeJS.Timeout;
  private killTimer: NodeJS.Timeout | undefined;
  private readonly onAbort = (): void => this.begin("aborted");

  constructor(child: ChildProcess, options: RunProcessOptions) {
    this.child = child;
    this.options = options;
    this.timeoutTimer = setTimeout(() => this.begin("timed-out"), options.timeoutMs);
    options.signal?.addEventListener("abort", this.onAbort, { once: true });
  }

  /** The leader ended. A group that was to be ended is ended whole: its leader may have died before its children. */
  finish(): void {
    this.dispose();
    if (this.reason !== undefined) this.signalGroup("SIGKILL");
  }

  dispose(): void {
    clearTimeout(this.timeoutTimer);
    clearTimeout(this.killTimer);
    this.options.signal?.removeEventListener("abort", this.onAbort);
  }

  private begin(reason: "timed-out" | "aborted"): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    this.signalGroup("SIGTERM");
    this.killTimer = setTimeout(() => this.signalGroup("SIGKILL"), this.options.killAfterMs);
  }

  private signalGroup(signal: NodeJS.Signals): void {
    if (this.child.pid !== undefined) signalGroup(this.child.pid, signal);
  }
}

function withoutOutput(end: "not-started" | "aborted", failure: unknown): ProcessOutcome {
  return {
    end,
    exitCode: undefined,
    signal: undefined,
    output: Buffer.alloc(0),
    outputBytesCut: 0,
    failure,
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

/** Keeps the last `limit` bytes of a stream in bounded memory: a ring, so that many tiny writes cost no more. */
class TailBuffer {
  private readonly ring: Buffer;
  private total = 0;

  constructor(limit: number) {
    this.ring = Buffer.alloc(limit);
  }

  get bytesCut(): number {
    return Math.max(0, this.total - this.ring.length);
  }

  push(chunk: Buffer): void {
    const size = this.ring.length;
    const kept = chunk.subarray(Math.max(0, chunk.length - size));
    const at = size === 0 ? 0 : (this.total + chunk.length - kept.length) % size;
    const first = kept.copy(this.ring, at);
    kept.copy(this.ring, 0, first);
    this.total += chunk.length;
  }

  bytes(): Buffer {
    const size = this.ring.length;
    if (this.total <= size) return Buffer.from(this.ring.subarray(0, this.total));
    const at = this.total % size;
    return Buffer.concat([this.ring.subarray(at), this.ring.subarray(0, at)]);
  }
}

import { spawn } from "node:child_process";
import { GweError } from "../core/errors.ts";

/** A worker process ended without an answer: killed, out of memory, out of time, or crashed. */
export class WorkerError extends GweError {
  readonly code = "WORKER";
}

export interface RunWorkerOptions {
  /** The Node program to run the worker with. */
  readonly nodeFile: string;
  readonly workerFile: string;
  /** Bound of its JavaScript heap, MiB. */
  readonly heapMib: number;
  /** Sent as one line of JSON on its stdin, which then stays open: a worker ends when it closes. */
  readonly request: unknown;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

const maxAnswerBytes = 1024 * 1024;
const maxErrorBytes = 4096;

/**
 * Runs a worker for one request and resolves to its answer, the one line of JSON that it prints. The worker never
 * outlives this process: it watches its stdin.
 *
 * @throws WorkerError when it ends without an answer; the signal's reason when aborted
 */
export function runWorker(options: RunWorkerOptions): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  options.signal?.throwIfAborted();
  const child = spawn(options.nodeFile, [`--max-old-space-size=${options.heapMib}`, options.workerFile], {
    // A worker needs nothing of the engine's environment, and must not see its secrets.
    env: {},
    stdio: ["pipe", "pipe", "pipe"],
  });
  let answer = "";
  let complaints = "";
  let timedOut = false;
  const kill = (): void => {
    child.kill("SIGKILL");
  };
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, options.timeoutMs);
  options.signal?.addEventListener("abort", kill, { once: true });

  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    answer += text;
    if (answer.length > maxAnswerBytes) kill();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints = (complaints + text).slice(-maxErrorBytes);
  });
  // A worker that dies early breaks the pipe; its end is reported below.
  child.stdin.on("error", () => undefined);
  child.stdin.write(`${JSON.stringify(options.request)}\n`);

  child.once("error", (error) => {
    clearTimeout(timer);
    reject(new WorkerError("the worker process could not be started", { cause: error }));
  });
  child.once("close", (exitCode, signal) => {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", kill);
    if (options.signal?.aborted) {
      reject(options.signal.reason);
      return;
    }
    const parsed = exitCode === 0 ? parseLine(answer) : undefined;
    if (parsed !== undefined) {
      resolve(parsed);
      return;
    }
    const what = timedOut
      ? `no answer within ${options.timeoutMs} ms`
      : `ended with ${signal ?? `exit status ${exitCode}`}`;
    reject(new WorkerError(`worker process: ${what}`, { context: { stderr: complaints.trim() } }));
  });
  return promise;
}

function parseLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

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

/**
 * Becomes "$@" with as little as the gateway's tools can take away: root keeps no capability but that of opening files
 * whoever owns them, and nothing that is executed gives one back. What they cannot do (BusyBox knows no bounding set, a
 * user's process may not change its own) is left out.
 */
const confine = `for less in "--no-new-privs --inh-caps=-all --bounding-set=-all,+dac_override" --no-new-privs; do
  setpriv $less -- true 2>/dev/null && exec env -i setpriv $less -- "$0" "$@"
done
exec env -i "$0" "$@"`;

const maxAnswerBytes = 1024 * 1024;
const maxErrorBytes = 4096;

/**
 * Runs a worker, confined, for one request and resolves to its answer, the one line of JSON that it prints. The worker never
 * outlives this process: it watches its stdin.
 *
 * @throws WorkerError when it ends without an answer; the signal's reason when aborted
 */
export function runWorker(options: RunWorkerOptions): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  options.signal?.throwIfAborted();
  const program = [options.nodeFile, `--max-old-space-size=${options.heapMib}`, options.workerFile];
  const child = spawn("/bin/sh", ["-c", confine, ...program], {
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

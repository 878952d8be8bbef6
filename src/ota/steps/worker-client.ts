import * as z from "zod/mini";
import { describeError, GweError } from "../../core/errors.ts";
import { StepFailure } from "../errors.ts";
import { type WorkerAnswer, type WorkerRequest, workerAnswer } from "../worker/protocol.ts";
import type { StepContext } from "./step.ts";

/**
 * Puts a task to a worker process.
 * @throws StepFailure when the package is refused or the worker does not cope; the signal's reason when aborted
 */
export async function askWorker<T extends WorkerAnswer["outcome"]>(
  { deps, signal }: StepContext,
  request: WorkerRequest,
  expected: T,
): Promise<Extract<WorkerAnswer, { outcome: T }>> {
  let answer: WorkerAnswer;
  try {
    answer = z.parse(
      workerAnswer,
      await deps.platform.runWorker({
        nodeFile: deps.nodeFile,
        workerFile: deps.workerFile,
        heapMib: deps.limits.workerHeapMib,
        timeoutMs: deps.limits.unpackTimeoutMs,
        request,
        signal,
      }),
    );
  } catch (error) {
    signal.throwIfAborted();
    const context = error instanceof GweError ? error.context : {};
    throw new StepFailure(`the package could not be read: ${describeError(error)}`, {
      cause: error,
      context,
    });
  }
  if (answer.outcome === "refused") throw new StepFailure(answer.reason);
  if (answer.outcome === "failed")
    throw new StepFailure(`the package could not be unpacked: ${answer.reason}`);
  if (answer.outcome !== expected)
    throw new StepFailure("the worker process answered something else than asked");
  return answer as Extract<WorkerAnswer, { outcome: T }>;
}

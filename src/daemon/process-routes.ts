import * as z from "zod/mini";
import type { GroupChanges, ProcessRequest, ProcessResult, SupervisedProcess } from "../core/process-api.ts";

/** What `supervisorctl` may ask of the running engine (core/process-api.ts). */
export interface ProcessTarget {
  processes(): readonly SupervisedProcess[];
  start(request: ProcessRequest): Promise<readonly ProcessResult[]>;
  stop(request: ProcessRequest): Promise<readonly ProcessResult[]>;
  signal(request: ProcessRequest): Promise<readonly ProcessResult[]>;
  clear(request: ProcessRequest): Promise<readonly ProcessResult[]>;
  reread(): GroupChanges;
  update(groups: readonly string[]): Promise<GroupChanges>;
  reload(): Promise<GroupChanges>;
}

const processRequest = z.object({
  group: z.exactOptional(z.string()),
  process: z.exactOptional(z.string()),
  signal: z.exactOptional(z.string()),
});
const updateRequest = z.object({ groups: z.array(z.string()) });

/**
 * Serves `POST /processes/<verb>`.
 *
 * @returns undefined when there is no such verb
 * @throws $ZodError when the body is not what the verb takes
 */
export async function changeProcesses(target: ProcessTarget, verb: string, body: unknown): Promise<unknown> {
  switch (verb) {
    case "start":
    case "stop":
    case "signal":
    case "clear":
      return target[verb](processRequest.parse(body));
    case "reread":
      return target.reread();
    case "update":
      return target.update(updateRequest.parse(body).groups);
    case "reload":
      return target.reload();
    default:
      return undefined;
  }
}

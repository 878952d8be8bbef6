import * as z from "zod/mini";
import type { DeadLetterChoice, DeadLetterRecord, QueueReport } from "../core/queue-control.ts";
import { ControlClient, quickMs } from "./control-client.ts";

const counts = z.record(z.string(), z.number());

const identity = z.looseObject({
  id: z.number(),
  name: z.string(),
  state: z.string(),
  live: z.number(),
  backlog: z.number(),
  oldestWaitedMs: z.nullable(z.number()),
  failures: z.number(),
  retryInMs: z.number(),
  waitsForTime: z.boolean(),
  isUploading: z.boolean(),
  lastError: z.nullable(z.string()),
});

const report = z.looseObject({
  entries: z.number(),
  bytes: z.number(),
  oldestWaitedMs: z.nullable(z.number()),
  fileBytes: z.number(),
  deadLetters: z.number(),
  isWritable: z.boolean(),
  isOnline: z.boolean(),
  held: z.enum(["nothing", "backlog", "all-but-urgent"]),
  counts: z.looseObject({
    accepted: z.number(),
    delivered: z.number(),
    moved: z.number(),
    estimated: z.number(),
    dropped: counts,
    dead: counts,
  }),
  uploads: z.looseObject({ entries: z.number(), bytes: z.number(), requests: counts }),
  identities: z.array(identity),
});

const deadLetter = z.looseObject({
  seq: z.number(),
  identity: z.string(),
  alias: z.string(),
  value: z.string(),
  timeMs: z.number(),
  reason: z.string(),
  status: z.nullable(z.number()),
  answer: z.nullable(z.string()),
  diedAtMs: z.number(),
});

/** Many dead letters may take the disk a while. */
const bulkMs = 120_000;

/** Speaks to the running queue over the engine's control socket (src/core/queue-control.ts). */
export class QueueClient extends ControlClient {
  queue(): Promise<QueueReport> {
    return this.call({ method: "GET", path: "/queue", schema: report, timeoutMs: quickMs });
  }

  /** The newest first. @param before only those with a smaller number */
  deadLetters(limit: number, before?: number): Promise<readonly DeadLetterRecord[]> {
    const page = before === undefined ? "" : `&before=${before}`;
    const path = `/queue/dead?limit=${limit}${page}`;
    return this.call({ method: "GET", path, schema: z.array(deadLetter), timeoutMs: quickMs });
  }

  deadLetter(seq: number): Promise<DeadLetterRecord> {
    return this.call({ method: "GET", path: `/queue/dead/${seq}`, schema: deadLetter, timeoutMs: quickMs });
  }

  /** @returns how many were put back into the queue */
  async retry(choice: DeadLetterChoice): Promise<number> {
    return await this.changeDead("retry", choice);
  }

  /** @returns how many were deleted */
  async purge(choice: DeadLetterChoice): Promise<number> {
    return await this.changeDead("purge", choice);
  }

  async drain(): Promise<void> {
    await this.call({ method: "POST", path: "/queue/drain", schema: undefined, timeoutMs: quickMs });
  }

  async reread(): Promise<void> {
    await this.call({ method: "POST", path: "/queue/reread", schema: undefined, timeoutMs: quickMs });
  }

  private async changeDead(change: "retry" | "purge", body: DeadLetterChoice): Promise<number> {
    const { count } = await this.call({
      method: "POST",
      path: `/queue/dead/${change}`,
      body,
      schema: z.looseObject({ count: z.number() }),
      timeoutMs: bulkMs,
    });
    return count;
  }
}

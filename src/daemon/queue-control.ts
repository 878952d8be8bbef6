import * as z from "zod/mini";
import { ConfigError } from "../config/index.ts";
import type {
  DeadLetterChoice,
  DeadLetterRecord,
  QueueIdentityReport,
  QueueReport,
} from "../core/queue-control.ts";
import type {
  DeadLetter,
  DeadLetterStore,
  Forwarder,
  IdentityStore,
  QueueIdentity,
  QueueStatus,
} from "../queue/index.ts";
import { ControlRequestError } from "./control-error.ts";

export interface QueueControlOptions {
  readonly status: () => QueueStatus;
  readonly identities: IdentityStore;
  readonly deadLetters: DeadLetterStore;
  readonly forwarder: Pick<Forwarder, "stats" | "statuses" | "drain" | "held">;
  readonly reread: () => Promise<void>;
}

export interface ControlCall {
  readonly method: string;
  /** Path segments, decoded; the first is `queue`. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  /** The body as JSON. @throws ControlRequestError */
  readonly body: () => Promise<unknown>;
}

export interface ControlAnswer {
  readonly status: number;
  readonly body: unknown;
}

const maxPage = 1_000;
const seqSchema = z.number().check(z.int(), z.nonnegative());
const choiceSchema = z.union([
  z.strictObject({ all: z.literal(true) }),
  z.strictObject({ seqs: z.array(seqSchema).check(z.minLength(1)) }),
]);

/** Answers `core/queue-control.ts` out of the running queue. */
export class QueueControl {
  private readonly options: QueueControlOptions;

  constructor(options: QueueControlOptions) {
    this.options = options;
  }

  /** Undefined where there is no such call. @throws ControlRequestError */
  async answer({ method, segments, query, body }: ControlCall): Promise<ControlAnswer | undefined> {
    const { forwarder, deadLetters } = this.options;
    const [, what, which, ...more] = segments;
    if (more.length > 0) return undefined;
    const isNumber = which !== undefined && /^\d{1,15}$/.test(which);
    const path = [what ?? "", ...(which === undefined ? [] : [isNumber ? "<seq>" : which])].join("/");
    switch (`${method} ${path}`) {
      case "GET ":
        return { status: 200, body: this.report() };
      case "GET dead":
        return { status: 200, body: this.page(query) };
      case "GET dead/<seq>":
        return { status: 200, body: this.one(Number(which)) };
      case "POST dead/retry":
        return { status: 200, body: { count: await deadLetters.retry(chosen(await body())) } };
      case "POST dead/purge":
        return { status: 200, body: { count: await deadLetters.purge(chosen(await body())) } };
      case "POST drain":
        forwarder.drain();
        return { status: 202, body: {} };
      case "POST reread":
        await this.reread();
        return { status: 200, body: {} };
      default:
        return undefined;
    }
  }

  private report(): QueueReport {
    const { status, forwarder, identities } = this.options;
    const { entries, bytes, oldestWaitedMs, fileBytes, deadLetters, counts, isWritable, waiting } = status();
    const uploads = forwarder.stats();
    const { accepted, delivered, moved, estimated, dropped, dead } = counts;
    return {
      entries,
      bytes,
      oldestWaitedMs: oldestWaitedMs ?? null,
      fileBytes,
      deadLetters,
      isWritable,
      isOnline: uploads.isOnline,
      held: forwarder.held,
      counts: { accepted, delivered, moved, estimated, dropped, dead },
      uploads: {
        entries: uploads.entries,
        bytes: uploads.bytes,
        requests: Object.fromEntries(uploads.requests),
      },
      identities: identities.list().map((identity) => this.identity(identity, waiting)),
    };
  }

  private identity(identity: QueueIdentity, waiting: QueueStatus["waiting"]): QueueIdentityReport {
    const { id, state, lastError } = identity;
    const own = waiting.filter(({ identityId }) => identityId === id);
    const upload = this.options.forwarder.statuses().find(({ identityId }) => identityId === id);
    const inLane = (lane: "live" | "backlog"): number => own.find((one) => one.lane === lane)?.entries ?? 0;
    return {
      id,
      name: nameOf(identity),
      state,
      live: inLane("live"),
      backlog: inLane("backlog"),
      oldestWaitedMs: own.length === 0 ? null : Math.max(...own.map((one) => one.oldestWaitedMs)),
      waitsForTime: own.some(({ isHeld }) => isHeld),
      failures: upload?.failures ?? 0,
      retryInMs: upload?.retryInMs ?? 0,
      isUploading: upload?.isUploading ?? false,
      lastError: upload?.lastError ?? lastError ?? null,
    };
  }

  private page(query: URLSearchParams): readonly DeadLetterRecord[] {
    const limit = Math.min(maxPage, numberOf(query, "limit") ?? 100);
    const before = numberOf(query, "before");
    return this.options.deadLetters
      .list({ limit, ...(before !== undefined && { before }) })
      .map((letter) => this.record(letter));
  }

  private one(seq: number): DeadLetterRecord {
    const letter = this.options.deadLetters.get(seq);
    if (letter === undefined) throw new ControlRequestError(404, "NO_SUCH_ENTRY", `no dead letter ${seq}`);
    return this.record(letter);
  }

  private record(letter: DeadLetter): DeadLetterRecord {
    const { seq, identityId, alias, value, timeMs, reason, status, answer, diedAtMs } = letter;
    const identity = this.options.identities.get(identityId);
    return {
      seq,
      identity: (identity && nameOf(identity)) || `identity ${identityId}`,
      alias,
      value,
      timeMs,
      reason,
      status: status ?? null,
      answer: answer ?? null,
      diedAtMs,
    };
  }

  private async reread(): Promise<void> {
    try {
      await this.options.reread();
    } catch (error) {
      if (error instanceof ConfigError) throw new ControlRequestError(400, error.code, error.message);
      throw error;
    }
  }
}

function nameOf({ vms }: QueueIdentity): string {
  return vms === undefined ? "" : `${vms.vendor} ${vms.model} ${vms.sn}`;
}

function chosen(body: unknown): readonly number[] | undefined {
  const parsed = choiceSchema.safeParse(body);
  if (!parsed.success) {
    throw new ControlRequestError(400, "BAD_REQUEST", 'expected {"seqs":[…]} or {"all":true}');
  }
  const choice: DeadLetterChoice = parsed.data;
  return "all" in choice ? undefined : choice.seqs;
}

function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new ControlRequestError(400, "BAD_REQUEST", `${name} is a whole number`);
}

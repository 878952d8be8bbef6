import type { ServerClock } from "../server-clock.ts";
import type { Store } from "../store/store.ts";
import type { Client, Point } from "../store/types.ts";
import type { LongPollHub } from "./hub.ts";

/** The longest that a request may be held (spec: device-api.md, "Long poll"). */
export const maxLongPollMs = 300_000;

export interface LongPollRequest {
  readonly client: Client;
  readonly alias: string;
  readonly timeoutMs: number;
  /** Unix seconds; only later values count. Undefined: what is written from now on. */
  readonly since: number | undefined;
  /** Whether the client's CIK still holds; asked when something happened to it. */
  readonly stillValid: () => Promise<boolean>;
  readonly onGone: (listener: () => void) => () => void;
}

export type LongPollResult = Point | "nothing-new" | "invalid";

export interface LongPollParts {
  readonly store: Store;
  readonly hub: LongPollHub;
  readonly clock: ServerClock;
}

/**
 * Waits for the oldest value of an alias that is newer than `since`. Since each value of an alias has a second of its
 * own, a client that passes the last timestamp back sees every value once, in order.
 */
export async function longPoll(parts: LongPollParts, request: LongPollRequest): Promise<LongPollResult> {
  const { client, alias } = request;
  const waiting = new Waiting(parts.hub, request);
  try {
    const latest = await parts.store.dataports.currentTs(client.id, alias);
    const since = startingPoint(request.since, latest);
    for (let isFirst = true; ; isFirst = false) {
      const point = await parts.store.dataports.nextAfter(client.id, alias, since);
      if (point) return point;
      // It may have become void after it was looked up and before anybody watched.
      if (isFirst && !(await request.stillValid())) return "invalid";
      const reason = await waiting.next();
      if (reason !== "woken") return "nothing-new";
      waiting.rearm();
      if (!(await request.stillValid())) return "invalid";
    }
  } finally {
    waiting.end();
  }
}

/**
 * Where nothing is newer than `since`, whatever is written from now on is news, be it within that same second; and a
 * time ahead of the server's clock would wait for ever.
 */
function startingPoint(since: number | undefined, latest: number | undefined): number {
  return Math.min(since ?? Infinity, latest ?? -1);
}

type Reason = "woken" | "time-out" | "gone";

/** One registered wait. It is armed again before each look, so that nothing falls between looking and waiting. */
class Waiting {
  readonly #timer: NodeJS.Timeout;
  readonly #unwatch: () => void;
  readonly #forget: () => void;
  #woken = false;
  #final: Reason | undefined;
  #resolve: ((reason: Reason) => void) | undefined;

  constructor(hub: LongPollHub, { client, alias, timeoutMs, onGone }: LongPollRequest) {
    this.#timer = setTimeout(() => this.#finish("time-out"), timeoutMs);
    this.#unwatch = hub.watch(client.id, alias, () => {
      this.#woken = true;
      this.#resolve?.("woken");
    });
    this.#forget = onGone(() => this.#finish("gone"));
  }

  rearm(): void {
    this.#woken = false;
  }

  next(): Promise<Reason> {
    if (this.#final) return Promise.resolve(this.#final);
    if (this.#woken) return Promise.resolve("woken");
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#unwatch();
    this.#forget();
  }

  #finish(reason: Reason): void {
    this.#final = reason;
    this.#resolve?.(reason);
  }
}

import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../../core/clock.ts";
import { describeError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import type { LongPollHub, Writer } from "../long-poll/hub.ts";

/** A gateway of which something was heard since it was last looked at. */
export interface Heard {
  readonly clientId: number;
  /** Who wrote its `engine_fetch` first since then; undefined: nobody did. */
  readonly fetchBy: Writer | undefined;
}

export interface FollowerParts {
  readonly hub: LongPollHub;
  readonly clock: Pick<Clock, "sleep">;
  readonly logger: Logger;
  /** What is followed, for the log. */
  readonly subject: string;
  /** Whose commands matter. */
  readonly isFollowed: (clientId: number) => boolean;
  /**
   * Finds out from the store what these did: what was heard only says whom to look at. At most a hundred at a time,
   * never two calls at once; those whose look failed are looked at again.
   */
  readonly look: (heard: readonly Heard[]) => Promise<void>;
  /** Whether other processes may share the database: then the one that leads follows. */
  readonly isShared?: boolean;
  /** Takes up what may have happened unheard, before `afterwards`. Called again when it failed. */
  readonly catchUp?: () => Promise<void>;
  /** What there is to do after each round of looks. */
  readonly afterwards?: () => Promise<void>;
  /** A round waits so long for more to come, milliseconds; 0: to the end of this turn. */
  readonly gatherMs: number;
  /** A round comes at least so often, milliseconds; undefined: only when something is heard. */
  readonly everyMs?: number;
}

/** Gateways looked at in one go: their own requests must not wait long for it. */
const batch = 100;
/** An error of the database ends a round, not the following. */
const troubleMs = 5_000;

/** Hears what gateways do with the commands in `engine_fetch` and tell in `fetch_status`, and has it looked at in rounds. */
export class CommandFollower {
  readonly #parts: FollowerParts;
  readonly #stop = new AbortController();
  #heard = new Map<number, Heard>();
  #wake = new AbortController();
  #running: Promise<void> | undefined;
  #unlisten: () => void = () => undefined;
  #leads: boolean;
  /** Whether something may have happened unheard. */
  #isBehind = false;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
    this.#leads = !parts.isShared;
  }

  /** Whether this process is the one to follow. */
  get leads(): boolean {
    return this.#leads;
  }

  /** Of the processes that share a database this one follows from now on, or no longer. */
  lead(isLeader: boolean): void {
    this.#leads = isLeader;
    this.lookAgain();
  }

  /** Something may have happened unheard. */
  lookAgain(): void {
    this.#isBehind = this.#leads;
    if (this.#leads) this.wake();
  }

  /** Looks at these first: what they did in the last moment of the server before this one. */
  start(clientIds: Iterable<number>): void {
    this.#unlisten = this.#parts.hub.observe((clientId, aliases, by) => {
      if (by === "server" || !this.#parts.isFollowed(clientId)) return;
      const isFetch = aliases.includes("engine_fetch");
      if (isFetch || aliases.includes("fetch_status")) this.#note(clientId, isFetch ? by : undefined);
    });
    for (const clientId of clientIds) this.lookAt(clientId);
    this.#running = this.#run();
  }

  /** Resolves when the round under way has ended. */
  async stop(): Promise<void> {
    this.#unlisten();
    this.#stop.abort();
    this.#wake.abort();
    await this.#running;
  }

  /** A round comes soon. */
  wake(): void {
    // Each abort makes an exception with its stack, also one that comes too late to be noticed.
    if (!this.#wake.signal.aborted) this.#wake.abort();
  }

  /** This client is looked at soon, whatever is heard of it. */
  lookAt(clientId: number): void {
    this.#note(clientId, undefined);
  }

  #note(clientId: number, by: Writer | undefined): void {
    this.#heard.set(clientId, { clientId, fetchBy: this.#heard.get(clientId)?.fetchBy ?? by });
    this.wake();
  }

  async #run(): Promise<void> {
    const { clock, logger, subject, afterwards } = this.#parts;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#lookAtAll();
        if (!signal.aborted) {
          await this.#catchUp();
          await afterwards?.();
        }
        await this.#rest();
      } catch (error) {
        logger.error(`${subject}: a round failed`, { error: describeError(error) });
        await clock.sleep(troubleMs, signal).catch(() => undefined);
      }
    }
  }

  async #catchUp(): Promise<void> {
    if (!this.#isBehind) return;
    this.#isBehind = false;
    try {
      await this.#parts.catchUp?.();
    } catch (error) {
      this.#isBehind = this.#leads;
      throw error;
    }
  }

  async #lookAtAll(): Promise<void> {
    const all = [...this.#heard.values()];
    this.#heard = new Map();
    for (let start = 0; start < all.length && !this.#stop.signal.aborted; start += batch) {
      const some = all.slice(start, start + batch);
      try {
        await this.#parts.look(some);
      } catch (error) {
        // Those who were in the way come last: whoever cannot be looked at holds up nobody else for good.
        for (const one of [...all.slice(start + batch), ...some]) this.#putBack(one);
        throw error;
      }
    }
  }

  #putBack({ clientId, fetchBy }: Heard): void {
    this.#heard.set(clientId, { clientId, fetchBy: fetchBy ?? this.#heard.get(clientId)?.fetchBy });
  }

  async #rest(): Promise<void> {
    const { gatherMs, everyMs } = this.#parts;
    const wake = this.#wake.signal;
    if (everyMs !== undefined) await this.#sleep(everyMs, wake);
    else if (!wake.aborted)
      await new Promise((resolve) => wake.addEventListener("abort", resolve, { once: true }));
    if (wake.aborted) await (gatherMs > 0 ? this.#sleep(gatherMs, this.#stop.signal) : nextTurn());
    this.#wake = new AbortController();
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#parts.clock.sleep(ms, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

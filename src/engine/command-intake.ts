import { classifyFailure } from "../core/api-failure.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { CallOptions, DeviceApi, Point } from "../device-client/index.ts";
import type { EngineFacts, FetchCursor } from "./facts.ts";

/** The update pipeline's door, as the check-in loop sees it. */
export interface CommandSink {
  /**
   * Takes a command over; durable when it returns. A repetition of one whose clearing was not yet acknowledged is
   * recognised and does nothing.
   */
  accept(command: {
    readonly text: string;
    readonly serverTimestamp?: number;
    readonly source: "engine_fetch";
  }): {
    readonly key: string;
  };
  /** From now on the same text is a new command. */
  acknowledgeCleared(key: string): void;
  /** The alias was read and is empty: whatever was taken is cleared, though no answer said so. */
  acknowledgeEmpty(): void;
}

export interface CommandIntakeDependencies {
  readonly api: Pick<DeviceApi, "write">;
  /**
   * Without activation at a 401: the CIK has just been good for reading the alias, so a server that refuses it here
   * does not serve history to this device.
   */
  readonly history: Pick<DeviceApi, "readHistory">;
  readonly sink: CommandSink;
  readonly facts: Pick<EngineFacts, "fetchCursor" | "setFetchCursor" | "atomically">;
  readonly hash: (text: string) => string;
  readonly logger: Logger;
}

const alias = "engine_fetch";
/** How many values back the command at hand is looked for; more writes than this within one reading are not met. */
const lookBack = 20;
/** Points of history read at a time: a value may hold 64 KiB. */
const reviewLimit = 100;

/** A value of `engine_fetch` as it was read. */
export interface FetchedCommand {
  readonly text: string;
  /** The server's clock at the reading. */
  readonly serverTimeMs: number | undefined;
  /** Further aliases to clear in the same request. */
  readonly alsoClear?: readonly string[];
}

/**
 * Takes commands over from `engine_fetch` so that none is lost and none runs twice: durable first, then cleared, then
 * the alias' history is reviewed for a command that the clearing overwrote (spec: gateway-engine.md, 4).
 */
export class CommandIntake {
  private readonly dependencies: CommandIntakeDependencies;

  constructor(dependencies: CommandIntakeDependencies) {
    this.dependencies = dependencies;
  }

  /**
   * Takes over the value just read and clears the alias.
   *
   * @throws DeviceApiError when the clearing was not acknowledged: the command is safe, and will be met again
   */
  async take({ text, serverTimeMs, alsoClear = [] }: FetchedCommand, options: CallOptions): Promise<void> {
    const { api, sink, logger } = this.dependencies;
    // What an earlier clearing overwrote came before this one.
    await this.review(options);
    const timestamp = await this.timestampOf(text, options);
    const { key } = this.accept(text, timestamp, serverTimeMs);
    logger.debug("command is on disk, the alias may be cleared", { command: key });
    await api.write(Object.fromEntries([alias, ...alsoClear].map((name) => [name, ""])), options);
    sink.acknowledgeCleared(key);
    await this.review(options);
  }

  /** The alias was read and holds nothing. */
  async nothingThere(options: CallOptions): Promise<void> {
    this.dependencies.sink.acknowledgeEmpty();
    await this.review(options);
  }

  /** Reads what was written since the last known command, where a clearing may have overwritten something. */
  private async review(options: CallOptions): Promise<void> {
    const { history, facts, logger } = this.dependencies;
    for (;;) {
      const cursor = facts.fetchCursor();
      if (cursor === undefined || !cursor.reviewPending) return;
      let points: readonly Point[];
      try {
        points = await history.readHistory(alias, {
          ...options,
          startTime: cursor.timestamp,
          limit: reviewLimit,
          sort: "asc",
        });
      } catch (error) {
        options.signal?.throwIfAborted();
        if (!isNotServed(error)) {
          // The cursor stays: the next check-in tries again.
          logger.info("history of engine_fetch could not be read", { reason: describeError(error) });
          return;
        }
        points = [];
      }
      this.takeOverwritten(cursor, points.map(inWholeSeconds));
    }
  }

  private accept(
    text: string,
    timestamp: number | undefined,
    serverTimeMs: number | undefined,
  ): { readonly key: string } {
    const { sink, facts, hash } = this.dependencies;
    return facts.atomically(() => {
      const accepted = sink.accept({
        text,
        source: alias,
        ...(timestamp !== undefined && { serverTimestamp: timestamp }),
      });
      // Without a time of its own: at the reading the alias held it, and what overwrote it came later.
      const since = timestamp ?? (serverTimeMs === undefined ? undefined : Math.floor(serverTimeMs / 1000));
      const owed = facts.fetchCursor();
      if (owed?.reviewPending === true) {
        const textHash = hash(text);
        const isFirst =
          owed.textHash === textHash && (timestamp === undefined || owed.timestamp === timestamp);
        const before = owed.takenSince ?? [];
        const takenSince = isFirst || before.at(-1) === textHash ? before : [...before, textHash];
        facts.setFetchCursor({ ...owed, takenSince });
      } else if (since !== undefined) {
        facts.setFetchCursor({ timestamp: since, textHash: hash(text), reviewPending: true });
      }
      return accepted;
    });
  }

  /** The server's time of the value at hand; undefined where the server keeps or serves no history. */
  private async timestampOf(text: string, options: CallOptions): Promise<number | undefined> {
    const { history, logger } = this.dependencies;
    try {
      const newestFirst = await history.readHistory(alias, { ...options, limit: lookBack, sort: "desc" });
      return newestFirst.map(inWholeSeconds).find(([, value]) => value === text)?.[0];
    } catch (error) {
      options.signal?.throwIfAborted();
      logger.info("command has no server time: history could not be read", {
        reason: describeError(error),
      });
      return undefined;
    }
  }

  private takeOverwritten(cursor: FetchCursor, points: readonly Point[]): void {
    const { sink, facts, hash, logger } = this.dependencies;
    const known = points.findLastIndex(
      ([timestamp, value]) => timestamp === cursor.timestamp && hash(value) === cursor.textHash,
    );
    // The last point is what the alias holds now: the next reading meets it, if it is a command at all.
    const passed = points.slice(known + 1, -1);
    const taken = [...(cursor.takenSince ?? [])];
    const last = passed.at(-1);
    // A full page with nothing new in it would be read for ever.
    const isMore = points.length >= reviewLimit && last !== undefined && last[0] > cursor.timestamp;
    facts.atomically(() => {
      let newest: FetchCursor = cursor;
      for (const [timestamp, text] of passed) {
        if (text === "") continue;
        newest = { timestamp, textHash: hash(text), reviewPending: false };
        const already = taken.indexOf(newest.textHash);
        if (already >= 0) {
          taken.splice(already, 1);
          continue;
        }
        const { key } = sink.accept({ text, serverTimestamp: timestamp, source: alias });
        sink.acknowledgeCleared(key);
        logger.info("command taken that a clearing had overwritten", { command: key });
      }
      const { timestamp, textHash } = isMore ? { timestamp: last[0], textHash: hash(last[1]) } : newest;
      facts.setFetchCursor({
        timestamp,
        textHash,
        reviewPending: isMore,
        ...(isMore && taken.length > 0 && { takenSince: taken }),
      });
    });
  }
}

/** The server keeps no history, or none for us. */
function isNotServed(error: unknown): boolean {
  const { kind } = classifyFailure(error);
  return kind === "rejected" || kind === "unauthorized";
}

/** Some servers tell fractions; a second is what every procedure of the interface counts in. */
function inWholeSeconds([timestamp, value]: Point): Point {
  return [Math.floor(timestamp), value];
}

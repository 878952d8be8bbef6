import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { CallOptions, DeviceApi, Point } from "../device-client/index.ts";
import type { EngineFacts, FetchCursor } from "./facts.ts";
import { classifyFailure } from "./failure.ts";

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
  readonly api: Pick<DeviceApi, "readHistory" | "write">;
  readonly sink: CommandSink;
  readonly facts: EngineFacts;
  readonly hash: (text: string) => string;
  readonly logger: Logger;
}

const alias = "engine_fetch";
/** How many values back the command at hand is looked for; more writes than this within one reading are not met. */
const lookBack = 20;
const reviewLimit = 1000;

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
   * @param alsoClear further aliases to clear in the same request
   * @throws DeviceApiError when the clearing was not acknowledged: the command is safe, and will be met again
   */
  async take(text: string, alsoClear: readonly string[], options: CallOptions): Promise<void> {
    const { api, sink, logger } = this.dependencies;
    const timestamp = await this.timestampOf(text, options);
    const { key } = this.accept(text, timestamp);
    logger.info("command taken", { command: key });
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
    const { api, facts, logger } = this.dependencies;
    const cursor = facts.fetchCursor();
    if (cursor === undefined || !cursor.reviewPending) return;
    let points: readonly Point[];
    try {
      points = await api.readHistory(alias, {
        ...options,
        startTime: cursor.timestamp,
        limit: reviewLimit,
        sort: "asc",
      });
    } catch (error) {
      options.signal?.throwIfAborted();
      if (classifyFailure(error).kind !== "rejected") {
        // The cursor stays: the next check-in tries again.
        logger.info("history of engine_fetch could not be read", { reason: describeError(error) });
        return;
      }
      points = [];
    }
    this.takeOverwritten(cursor, points);
  }

  private accept(text: string, timestamp: number | undefined): { readonly key: string } {
    const { sink, facts, hash } = this.dependencies;
    return facts.atomically(() => {
      const accepted = sink.accept({
        text,
        source: alias,
        ...(timestamp !== undefined && { serverTimestamp: timestamp }),
      });
      if (timestamp !== undefined)
        facts.setFetchCursor({ timestamp, textHash: hash(text), reviewPending: true });
      return accepted;
    });
  }

  /** The server's time of the value at hand; undefined where the server keeps or serves no history. */
  private async timestampOf(text: string, options: CallOptions): Promise<number | undefined> {
    try {
      const newestFirst = await this.dependencies.api.readHistory(alias, {
        ...options,
        limit: lookBack,
        sort: "desc",
      });
      return newestFirst.find(([, value]) => value === text)?.[0];
    } catch (error) {
      options.signal?.throwIfAborted();
      if (classifyFailure(error).kind === "unauthorized") throw error;
      this.dependencies.logger.info("command has no server time: history could not be read", {
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
    const overwritten = points.slice(known + 1, -1).filter(([, value]) => value !== "");
    facts.atomically(() => {
      let newest: FetchCursor = { ...cursor, reviewPending: false };
      for (const [timestamp, text] of overwritten) {
        const { key } = sink.accept({ text, serverTimestamp: timestamp, source: alias });
        sink.acknowledgeCleared(key);
        newest = { timestamp, textHash: hash(text), reviewPending: false };
        logger.info("command taken that a clearing had overwritten", { command: key });
      }
      facts.setFetchCursor(newest);
    });
  }
}

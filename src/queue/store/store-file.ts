import type { Clock } from "../../core/clock.ts";
import { describeError, GweError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import type { OpenedDatabase, Replacement, SqliteDatabase } from "../../platform/sqlite.ts";
import { QueueUnavailableError } from "../errors.ts";
import type { Session } from "./session.ts";

/** The database file, by the operating system (platform/sqlite.ts). */
export interface QueueFile {
  /**
   * Under the durability rules; a damaged one is replaced.
   * @param onCorruption a query met damage: the next opening replaces the file
   * @throws GweError, SqliteError
   */
  open(onCorruption: () => void): OpenedDatabase;
  isDiskFull(error: unknown): boolean;
  readonly reserve: SpaceReserve;
}

/** Space that is set aside on the disk, so that the queue can be emptied when all else is taken (platform/space-reserve.ts). */
export interface SpaceReserve {
  /** Held, or there is so much room that it will be. Cheap. */
  isEnough(): boolean;
  /** Lets go of it. @returns whether there was any */
  release(): boolean;
  /** Takes it anew where the disk has the room. Never rejects. */
  restore(): Promise<void>;
}

/** To be replaced at the next opening. */
class DamagedError extends GweError {
  readonly code = "QUEUE_DAMAGED";
}

/** What is in the log cannot be brought into the database file. */
class CheckpointError extends GweError {
  readonly code = "CHECKPOINT";
}

export interface StoreFileDependencies {
  readonly file: QueueFile;
  readonly createSession: (db: SqliteDatabase) => Session;
  /** A damaged file was replaced: for the operator. */
  readonly onReplaced: (replaced: Replacement) => void;
  /** It can be written again after it could not. */
  readonly onRecovered: () => void;
  readonly clock: Pick<Clock, "monotonic">;
  readonly logger: Logger;
}

/** While the disk takes nothing, it is not asked more often than this. */
const reopenAfterMs = 1_000;

/**
 * The log is written from its start again after a checkpoint, which comes at 4 MiB. It keeps its size then: where it has to
 * grow, each sync also commits the file's metadata, at twice the price and with a long tail.
 */
const keptLogBytes = 8 * 1024 * 1024;

/** Holds the open session, and opens a new one after a commit that failed. */
export class StoreFile {
  private readonly parts: StoreFileDependencies;
  private session: Session | undefined;
  private trouble: QueueUnavailableError | undefined;
  private triedAtMs = Number.NEGATIVE_INFINITY;
  private isClosed = false;
  private isDamaged = false;

  constructor(parts: StoreFileDependencies) {
    this.parts = parts;
  }

  get isWritable(): boolean {
    return this.session !== undefined;
  }

  /** @throws QueueUnavailableError */
  current(): Session {
    const session = this.peek();
    if (session !== undefined) return session;
    const { clock, logger, onRecovered } = this.parts;
    const nowMs = clock.monotonic();
    const isTooEarly = this.trouble !== undefined && nowMs - this.triedAtMs < reopenAfterMs;
    if (this.isClosed || isTooEarly) throw this.trouble ?? new QueueUnavailableError("closed", false);
    this.triedAtMs = nowMs;
    try {
      this.session = this.openOnReserve();
    } catch (error) {
      this.trouble = this.unavailable(error);
      throw this.trouble;
    }
    if (this.trouble !== undefined) {
      this.trouble = undefined;
      logger.info("the queue can be written again");
      onRecovered();
    }
    return this.session;
  }

  /** The session as it is, for a look; undefined while there is none. */
  peek(): Session | undefined {
    if (this.isDamaged) this.failed(new DamagedError("a query met damage in the queue's database"));
    return this.session;
  }

  /** Nothing of the session can be relied upon any more. @returns what to answer */
  failed(error: unknown): QueueUnavailableError {
    if (error instanceof QueueUnavailableError) return error;
    const { logger } = this.parts;
    logger.error("the queue could not commit: the requests were refused, the database is opened anew", {
      error: describeError(error),
    });
    const reason = this.unavailable(error);
    this.trouble = reason;
    // Before it is closed: the log is then brought into the file.
    const hasRoomAgain = reason.isDiskFull && this.parts.file.reserve.release();
    this.discard();
    // The next request may try at once.
    this.triedAtMs = Number.NEGATIVE_INFINITY;
    if (hasRoomAgain) this.reopen();
    return reason;
  }

  close(): void {
    this.isClosed = true;
    this.discard();
  }

  /** At once, for what waits is to be delivered: who would open it next is refused. */
  private reopen(): void {
    try {
      this.current();
    } catch (error) {
      this.parts.logger.error("the queue could not be opened anew", { error: describeError(error) });
    }
  }

  /** On a full disk with the space that was set aside. */
  private openOnReserve(): Session {
    try {
      return this.open();
    } catch (error) {
      if (!this.unavailable(error).isDiskFull || !this.parts.file.reserve.release()) throw error;
      return this.open();
    }
  }

  private open(): Session {
    const { file, createSession, onReplaced } = this.parts;
    const { db, replaced } = file.open(() => {
      this.isDamaged = true;
    });
    try {
      // The queue writes at its end and reads at its front: pages between are of no use, and the default is 16 MB.
      db.pragma("cache_size = -2000");
      db.pragma(`journal_size_limit = ${keptLogBytes}`);
      settleLog(db);
      const session = createSession(db);
      if (replaced !== undefined) onReplaced(replaced);
      return session;
    } catch (error) {
      db.close();
      throw error;
    }
  }

  private discard(): void {
    const { session } = this;
    this.isDamaged = false;
    this.session = undefined;
    try {
      session?.db.close();
    } catch (error) {
      this.parts.logger.error("the queue's database could not be closed", { error: describeError(error) });
    }
  }

  private unavailable(error: unknown): QueueUnavailableError {
    if (error instanceof QueueUnavailableError) return error;
    const cause = error instanceof GweError && error.cause !== undefined ? error.cause : error;
    return new QueueUnavailableError(error, this.parts.file.isDiskFull(cause));
  }
}

/**
 * Brings the log into the file. After an fsync that failed the kernel takes pages for written that are not on disk,
 * and commits that follow them in the log would be lost with them; the checkpoint writes them anew.
 */
function settleLog(db: SqliteDatabase): void {
  const [result] = db.pragma("wal_checkpoint(TRUNCATE)") as { busy: number }[];
  if (result?.busy !== 0) throw new CheckpointError("the log of the queue's database is in use");
}

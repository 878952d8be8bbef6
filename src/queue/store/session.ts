import type { Clock } from "../../core/clock.ts";
import type { SqliteDatabase } from "../../platform/sqlite.ts";
import type { QueueLimits, TrueTime } from "../types.ts";
import { Batches } from "./batches.ts";
import { Boots } from "./boots.ts";
import { ChunkTable } from "./chunk-table.ts";
import { DeadLetters } from "./dead-letters.ts";
import { Frontier } from "./frontier.ts";
import { Identities } from "./identities.ts";
import { Intake } from "./intake.ts";
import { Ledger } from "./ledger.ts";
import { priorities } from "./limits.ts";
import { Outlet } from "./outlet.ts";
import { Pins } from "./pins.ts";
import { Room } from "./room.ts";
import { Seconds } from "./seconds.ts";

export interface SessionOptions {
  readonly db: SqliteDatabase;
  readonly limits: QueueLimits;
  /** Blocks of 1,024 s of an alias of which it is known which seconds are taken. */
  readonly rememberedBlocks: number;
  readonly clock: Pick<Clock, "now">;
  readonly time: TrueTime;
  readonly isUnreachable: (identity: number) => boolean;
}

/**
 * One opening of the database, with what is kept of it in memory. After a commit that failed memory and tables may
 * differ: the session is then thrown away and a new one read from the file.
 */
export class Session {
  readonly db: SqliteDatabase;
  readonly ledger: Ledger;
  readonly identities: Identities;
  readonly outlet: Outlet;
  readonly dead: DeadLetters;
  readonly chunks: ChunkTable;
  readonly boots: Boots;
  readonly pins = new Pins();
  private readonly frontier = new Frontier();
  intake: Intake;
  room: Room;
  private limits: QueueLimits;
  private readonly seconds: Seconds;
  private readonly options: SessionOptions;
  private readonly statements;

  constructor(options: SessionOptions) {
    const { db, limits, clock, time } = options;
    this.options = options;
    this.db = db;
    this.limits = limits;
    this.ledger = new Ledger(db);
    this.chunks = new ChunkTable(db, this.ledger);
    this.boots = new Boots(db, time);
    this.identities = new Identities(db, limits.maxIdentities);
    this.dead = new DeadLetters(db, this.ledger, clock);
    this.seconds = new Seconds(db, options.rememberedBlocks);
    this.room = this.createRoom();
    this.intake = this.createIntake();
    const { ledger, chunks, boots, dead, seconds, pins, frontier } = this;
    const batches = new Batches(db);
    this.outlet = new Outlet({ ledger, chunks, batches, pins, seconds, frontier, dead, boots });
    this.statements = {
      begin: db.prepare("BEGIN IMMEDIATE"),
      commit: db.prepare("COMMIT"),
      rollback: db.prepare("ROLLBACK"),
    };
  }

  begin(): void {
    this.statements.begin.run();
    const shiftMs = this.boots.learn();
    if (shiftMs !== undefined) this.frontier.shift(shiftMs);
  }

  /** Durable when it returns. @throws SqliteError when it is not; whether it is then there nobody knows */
  commit(): void {
    this.intake.finish();
    this.seconds.save();
    this.dead.trim(this.limits);
    this.ledger.save();
    this.statements.commit.run();
  }

  /** Never throws: the session is at its end. */
  rollback(): void {
    try {
      if (this.db.inTransaction) this.statements.rollback.run();
    } catch {
      // SQLite rolls back by itself when it cannot write.
    }
  }

  /** For what is accepted from now on. */
  changeLimits(limits: QueueLimits): void {
    this.intake.finish();
    this.limits = limits;
    this.room = this.createRoom();
    this.intake = this.createIntake();
  }

  /** Dead letters go to the end of the backlog, with their own times. @returns the identity of each */
  retryDead(seqs: readonly number[] | undefined): number[] {
    const identities: number[] = [];
    for (const letter of this.dead.takeOut(seqs)) {
      const { identityId, alias, timeMs, value } = letter;
      this.intake.takeBack(identityId, { alias, times: [timeMs], values: [value] });
      identities.push(identityId);
    }
    return identities;
  }

  /** @throws SqliteError */
  fileBytes(): number {
    const pages = this.db.pragma("page_count", { simple: true }) as number;
    return pages * (this.db.pragma("page_size", { simple: true }) as number);
  }

  private createRoom(): Room {
    const { ledger, chunks, pins, boots, limits } = this;
    return new Room({ ledger, chunks, pins, boots, limits });
  }

  private createIntake(): Intake {
    const { ledger, chunks, identities, boots, frontier, room, limits, options } = this;
    return new Intake({
      ledger,
      chunks,
      identities,
      boots,
      frontier,
      room,
      priorityOf: priorities(limits.priorities),
      isUnreachable: options.isUnreachable,
    });
  }
}

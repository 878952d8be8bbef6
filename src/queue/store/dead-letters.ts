import type { Clock } from "../../core/clock.ts";
import type { SqliteDatabase } from "../../platform/sqlite.ts";
import type { DeadLetter, DeadLetterQuery, DeadReason } from "../types.ts";
import { type Entry, entryBytes } from "./chunk.ts";
import type { Ledger } from "./ledger.ts";

export interface Death extends Entry {
  readonly seq: number;
  readonly identity: number;
  readonly stampedBy: number;
  readonly reason: DeadReason;
  readonly status?: number;
  readonly answer?: string;
}

interface Row {
  readonly seq: number;
  readonly identity: number;
  readonly alias: string;
  readonly time_ms: number;
  readonly stamped_by: number;
  readonly reason: DeadReason;
  readonly status: number | null;
  readonly answer: string | null;
  readonly died_at_ms: number;
  readonly bytes: number;
  readonly value: string;
}

export interface DeadLetterLimits {
  readonly maxDeadLetters: number;
  readonly maxDeadBytes: number;
}

const maxAnswerCharacters = 4096;

/** The table `dead`. Bounded: the oldest give way, and are counted. */
export class DeadLetters {
  count: number;
  private bytes: number;
  private readonly ledger: Ledger;
  private readonly clock: Pick<Clock, "now">;
  private readonly statements;

  constructor(db: SqliteDatabase, ledger: Ledger, clock: Pick<Clock, "now">) {
    this.ledger = ledger;
    this.clock = clock;
    this.statements = {
      insert: db.prepare(
        `INSERT OR IGNORE INTO dead (seq, identity, alias, time_ms, stamped_by, reason, status, answer, died_at_ms,
           bytes, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      oldest: db.prepare<[], Pick<Row, "seq" | "identity" | "bytes">>(
        "SELECT seq, identity, bytes FROM dead ORDER BY seq LIMIT 1",
      ),
      delete: db.prepare("DELETE FROM dead WHERE seq = +?"),
      get: db.prepare<[number], Row>("SELECT * FROM dead WHERE seq = +?"),
      list: db.prepare<[number, number], Row>("SELECT * FROM dead WHERE seq < +? ORDER BY seq DESC LIMIT ?"),
      listOf: db.prepare<[number, number, number], Row>(
        "SELECT * FROM dead WHERE seq < +? AND identity = +? ORDER BY seq DESC LIMIT ?",
      ),
      next: db.prepare<[number], Row>("SELECT * FROM dead WHERE seq > +? ORDER BY seq LIMIT 1"),
    };
    const sums = db
      .prepare<[], { count: number; bytes: number }>(
        "SELECT count(*) AS count, coalesce(sum(bytes), 0) AS bytes FROM dead",
      )
      .get();
    this.count = sums?.count ?? 0;
    this.bytes = sums?.bytes ?? 0;
  }

  /** Once per seq, however often it is told. */
  add(death: Death): void {
    const { seq, identity, alias, timeMs, stampedBy, reason, status, answer, value } = death;
    const bytes = entryBytes(alias, value);
    const { changes } = this.statements.insert.run(
      seq,
      identity,
      alias,
      timeMs,
      stampedBy,
      reason,
      status ?? null,
      answer?.slice(0, maxAnswerCharacters) ?? null,
      this.clock.now(),
      bytes,
      value,
    );
    if (changes === 0) return;
    this.count += 1;
    this.bytes += bytes;
    this.ledger.count(identity, `dead-${reason}`, 1);
  }

  trim({ maxDeadLetters, maxDeadBytes }: DeadLetterLimits): void {
    while (this.count > maxDeadLetters || this.bytes > maxDeadBytes) {
      const oldest = this.statements.oldest.get();
      if (oldest === undefined) return;
      this.remove(oldest);
      this.ledger.count(oldest.identity, "dead-dropped", 1);
    }
  }

  list({ identityId, before = Number.MAX_SAFE_INTEGER, limit }: DeadLetterQuery): readonly DeadLetter[] {
    const rows =
      identityId === undefined
        ? this.statements.list.all(before, limit)
        : this.statements.listOf.all(before, identityId, limit);
    return rows.map(fromRow);
  }

  get(seq: number): DeadLetter | undefined {
    const row = this.statements.get.get(seq);
    return row && fromRow(row);
  }

  /** Takes them out, one after another; `seqs` undefined means all that are there now. */
  *takeOut(seqs: readonly number[] | undefined): Generator<DeadLetter> {
    for (const row of seqs === undefined ? this.all() : this.some(seqs)) {
      this.remove(row);
      yield fromRow(row);
    }
  }

  private *all(): Generator<Row> {
    for (let row = this.statements.next.get(0); row !== undefined; row = this.statements.next.get(row.seq)) {
      yield row;
    }
  }

  private *some(seqs: readonly number[]): Generator<Row> {
    for (const seq of new Set(seqs)) {
      const row = this.statements.get.get(seq);
      if (row !== undefined) yield row;
    }
  }

  private remove({ seq, bytes }: Pick<Row, "seq" | "bytes">): void {
    this.statements.delete.run(seq);
    this.count -= 1;
    this.bytes -= bytes;
  }
}

function fromRow(row: Row): DeadLetter {
  const { seq, identity, alias, value, time_ms, reason, status, answer, died_at_ms } = row;
  return {
    seq,
    identityId: identity,
    alias,
    value,
    timeMs: time_ms,
    reason,
    status: status ?? undefined,
    answer: answer ?? undefined,
    diedAtMs: died_at_ms,
  };
}

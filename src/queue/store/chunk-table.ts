import type { SqliteDatabase } from "../../platform/sqlite.ts";
import { type Chunk, type ChunkHead, decodePayload, entryBytes } from "./chunk.ts";
import type { LaneCount, Ledger } from "./ledger.ts";

export interface NewChunk {
  readonly stampedBy: number;
  readonly boot: number;
  readonly atMs: number;
  readonly sinceBootMs: number;
  readonly entries: number;
  readonly bytes: number;
  readonly payload: string;
}

const head =
  "first_seq, identity, lane, priority, stamped_by, boot, at_ms, since_boot_ms, entries, bytes," +
  " coalesce(gone, 0) AS gone, coalesce(gone_bytes, 0) AS gone_bytes";
const source = "FROM chunks LEFT JOIN partial USING (first_seq)";
// Bound values are compared as `+?`, here and in all statements that run often: docs/adr/0018-what-a-write-costs.md.
/** Of at most 64 KiB each, or one entry. */
const chunksPerRead = 16;

/** The tables `chunks` and `partial`, and the ledger in step with them. */
export class ChunkTable {
  private readonly ledger: Ledger;
  private readonly statements;
  private measured: { readonly firstSeq: number; readonly upTo: readonly number[] } | undefined;

  constructor(db: SqliteDatabase, ledger: Ledger) {
    this.ledger = ledger;
    this.statements = {
      insert: db.prepare(
        `INSERT INTO chunks (first_seq, identity, lane, priority, stamped_by, boot, at_ms, since_boot_ms, entries,
           bytes, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      one: db.prepare<[number], Chunk>(`SELECT ${head}, payload ${source} WHERE first_seq = +?`),
      next: db.prepare<[number, number, number, number], Chunk>(
        `SELECT ${head}, payload ${source} WHERE identity = +? AND lane = +? AND priority = +? AND first_seq > +?
         ORDER BY first_seq LIMIT ${chunksPerRead}`,
      ),
      headAfter: db.prepare<[number, number, number, number], ChunkHead>(
        `SELECT ${head} ${source} WHERE identity = +? AND lane = +? AND priority = +? AND first_seq > +?
         ORDER BY first_seq LIMIT 1`,
      ),
      delete: db.prepare("DELETE FROM chunks WHERE first_seq = +?"),
      deletePartial: db.prepare("DELETE FROM partial WHERE first_seq = +?"),
      leave: db.prepare(
        `INSERT INTO partial (first_seq, gone, gone_bytes) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET gone = excluded.gone, gone_bytes = excluded.gone_bytes`,
      ),
      demote: db.prepare("UPDATE chunks SET lane = ? WHERE identity = +? AND lane = +? AND priority = +?"),
    };
  }

  /** Its entries have entered the ledger. */
  append(lane: LaneCount, chunk: NewChunk): void {
    const { stampedBy, boot, atMs, sinceBootMs, entries, bytes, payload } = chunk;
    const firstSeq = this.ledger.giveSeqs(lane, entries);
    this.statements.insert.run(
      firstSeq,
      lane.identity,
      lane.lane,
      lane.priority,
      stampedBy,
      boot,
      atMs,
      sinceBootMs,
      entries,
      bytes,
      payload,
    );
  }

  get(firstSeq: number): Chunk | undefined {
    return this.statements.one.get(firstSeq);
  }

  /** Chunks of a lane in the order of acceptance. The table may not be changed meanwhile. */
  *of({ identity, lane, priority }: LaneCount): Generator<Chunk> {
    for (let after = 0; ; ) {
      const chunks = this.statements.next.all(identity, lane, priority, after);
      yield* chunks;
      const last = chunks.at(-1);
      if (last === undefined || chunks.length < chunksPerRead) return;
      after = last.first_seq;
    }
  }

  /** The oldest chunk of a lane that `isPinned` does not hold back. */
  oldest(
    { identity, lane, priority }: LaneCount,
    isPinned: (firstSeq: number) => boolean,
  ): ChunkHead | undefined {
    let after = 0;
    for (;;) {
      const chunk = this.statements.headAfter.get(identity, lane, priority, after);
      if (chunk === undefined || !isPinned(chunk.first_seq)) return chunk;
      after = chunk.first_seq;
    }
  }

  /** The bytes of the first `count` entries that are still there. */
  leadingBytes(chunk: ChunkHead, count: number): number {
    if (chunk.gone + count >= chunk.entries) return chunk.bytes - chunk.gone_bytes;
    const upTo = this.bytesUpTo(chunk.first_seq);
    return (upTo[chunk.gone + count] ?? 0) - chunk.gone_bytes;
  }

  /** The bytes of the first _n_ entries, at index _n_. Kept for the last chunk asked for: it is eaten bit by bit. */
  private bytesUpTo(firstSeq: number): readonly number[] {
    if (this.measured?.firstSeq === firstSeq) return this.measured.upTo;
    const payload = this.get(firstSeq)?.payload ?? "[]";
    const upTo = [0];
    for (const { alias, value } of decodePayload(payload)) {
      upTo.push((upTo.at(-1) ?? 0) + entryBytes(alias, value));
    }
    this.measured = { firstSeq, upTo };
    return upTo;
  }

  /** The first `count` entries that are still there are gone now, whatever became of them. */
  leave(chunk: ChunkHead, count: number): void {
    const { first_seq, identity, lane, priority, entries, gone, gone_bytes } = chunk;
    const bytes = this.leadingBytes(chunk, count);
    this.ledger.remove(this.ledger.lane(identity, lane, priority), count, bytes);
    if (gone + count < entries) {
      this.statements.leave.run(first_seq, gone + count, gone_bytes + bytes);
      return;
    }
    this.statements.delete.run(first_seq);
    if (gone > 0) this.statements.deletePartial.run(first_seq);
  }

  /** All of a lane joins another. */
  move(from: LaneCount, to: LaneCount): void {
    this.statements.demote.run(to.lane, from.identity, from.lane, from.priority);
    const { entries, bytes } = from;
    this.ledger.remove(from, entries, bytes);
    this.ledger.remove(to, -entries, -bytes);
  }
}

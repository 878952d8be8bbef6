import type { SqliteDatabase } from "../../platform/sqlite.ts";
import type { DeadReason, DropCause, QueueCounts } from "../types.ts";

/** What one lane holds at one priority, as of the commit that is being prepared. */
export interface LaneCount {
  readonly identity: number;
  readonly lane: number;
  readonly priority: number;
  entries: number;
  bytes: number;
  lastSeq: number;
  accepted: number;
}

export interface Amount {
  readonly entries: number;
  readonly bytes: number;
}

export type CounterName =
  | "delivered"
  | "moved"
  | "estimated"
  | "dead-dropped"
  | `dropped-${DropCause}`
  | `dead-${DeadReason}`;

interface LaneRow {
  readonly identity: number;
  readonly lane: number;
  readonly priority: number;
  readonly entries: number;
  readonly bytes: number;
  readonly last_seq: number;
  readonly accepted: number;
}

interface UncountedRow extends Omit<LaneRow, "accepted"> {
  readonly chunks: number;
}

/** So many chunks may be appended before the lanes are written: an opening counts them in milliseconds. */
const maxUncounted = 256;

/**
 * How much there is of everything, kept in step with the tables so that neither a limit nor an opening has to count
 * rows. Changes are made in memory and written by `save` before the commit; a ledger whose commit failed is discarded.
 *
 * The rows of `lanes` hold for all chunks up to the highest seq that they name. What was appended after is counted when
 * the database is opened, so that a commit that does nothing else need not write a page of counts.
 */
export class Ledger {
  private readonly lanes = new Map<number, LaneCount>();
  private readonly dirtyLanes = new Set<LaneCount>();
  private readonly identityTotals = new Map<number, { entries: number; bytes: number }>();
  private readonly counters = new Map<CounterName, Map<number, number>>();
  private readonly dirtyCounters = new Map<CounterName, Set<number>>();
  private readonly saveLane;
  private readonly saveCounter;
  private entries = 0;
  private bytes = 0;
  private nextSeq: number;
  /** Chunks that the rows of `lanes` do not know of. */
  private uncounted = 0;
  private isMoreThanAppended = false;

  constructor(db: SqliteDatabase) {
    this.saveLane = db.prepare(
      `INSERT INTO lanes (identity, lane, priority, entries, bytes, last_seq, accepted) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET entries = excluded.entries, bytes = excluded.bytes,
         last_seq = excluded.last_seq, accepted = excluded.accepted`,
    );
    this.saveCounter = db.prepare(
      "INSERT INTO counters (identity, name, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
    );
    const floor = db.prepare<[], number>("SELECT value FROM counters WHERE name = 'seq-floor'").pluck().get();
    let lastSeq = floor ?? 0;
    for (const { last_seq, ...row } of db.prepare<[], LaneRow>("SELECT * FROM lanes").all()) {
      const lane: LaneCount = { ...row, lastSeq: last_seq };
      this.lanes.set(laneKey(lane.identity, lane.lane, lane.priority), lane);
      this.grow(lane.identity, lane.entries, lane.bytes);
      lastSeq = Math.max(lastSeq, last_seq);
    }
    this.nextSeq = lastSeq + 1;
    this.countAfter(db, lastSeq);
    const counters = db.prepare<[], { identity: number; name: CounterName; value: number }>(
      "SELECT identity, name, value FROM counters WHERE name <> 'seq-floor'",
    );
    for (const { identity, name, value } of counters.all()) this.counterMap(name).set(identity, value);
  }

  total(): Amount {
    return { entries: this.entries, bytes: this.bytes };
  }

  ofIdentity(identity: number): Amount {
    return this.identityTotals.get(identity) ?? nothing;
  }

  lane(identity: number, lane: number, priority: number): LaneCount {
    const key = laneKey(identity, lane, priority);
    let count = this.lanes.get(key);
    if (count === undefined) {
      count = { identity, lane, priority, entries: 0, bytes: 0, lastSeq: 0, accepted: 0 };
      this.lanes.set(key, count);
    }
    return count;
  }

  /** Lanes that hold something. */
  *filled(identity?: number, lane?: number): Generator<LaneCount> {
    for (const count of this.lanes.values()) {
      if (count.entries === 0) continue;
      if (identity !== undefined && count.identity !== identity) continue;
      if (lane === undefined || count.lane === lane) yield count;
    }
  }

  /** Accepts entries into a lane. */
  enter(count: LaneCount, entries: number, bytes: number): void {
    count.accepted += entries;
    this.add(count, entries, bytes);
  }

  /** @returns the first of as many seqs */
  giveSeqs(count: LaneCount, entries: number): number {
    const firstSeq = this.nextSeq;
    this.nextSeq += entries;
    this.uncounted += 1;
    count.lastSeq = this.nextSeq - 1;
    return firstSeq;
  }

  /** Takes entries out of a lane, or, with negative amounts, puts back what another lane gave. */
  remove(count: LaneCount, entries: number, bytes: number): void {
    this.isMoreThanAppended = true;
    this.add(count, -entries, -bytes);
  }

  count(identity: number, name: CounterName, by: number): void {
    if (by === 0) return;
    this.isMoreThanAppended = true;
    const counter = this.counterMap(name);
    counter.set(identity, (counter.get(identity) ?? 0) + by);
    let dirty = this.dirtyCounters.get(name);
    if (dirty === undefined) {
      dirty = new Set();
      this.dirtyCounters.set(name, dirty);
    }
    dirty.add(identity);
  }

  counts(identity?: number): QueueCounts {
    const of = (name: CounterName): number => {
      const counter = this.counterMap(name);
      if (identity !== undefined) return counter.get(identity) ?? 0;
      let sum = 0;
      for (const value of counter.values()) sum += value;
      return sum;
    };
    let accepted = 0;
    for (const lane of this.lanes.values()) {
      if (identity === undefined || lane.identity === identity) accepted += lane.accepted;
    }
    return {
      accepted,
      delivered: of("delivered"),
      dropped: { bytes: of("dropped-bytes"), entries: of("dropped-entries"), age: of("dropped-age") },
      moved: of("moved"),
      estimated: of("estimated"),
      dead: {
        rejected: of("dead-rejected"),
        "too-dense": of("dead-too-dense"),
        unauthorized: of("dead-unauthorized"),
      },
      deadDropped: of("dead-dropped"),
    };
  }

  /** Within the transaction that changed the tables. */
  save(): void {
    if (!this.isMoreThanAppended && this.uncounted <= maxUncounted) return;
    this.isMoreThanAppended = false;
    this.uncounted = 0;
    for (const { identity, lane, priority, entries, bytes, lastSeq, accepted } of this.dirtyLanes) {
      this.saveLane.run(identity, lane, priority, entries, bytes, lastSeq, accepted);
    }
    this.dirtyLanes.clear();
    for (const [name, identities] of this.dirtyCounters) {
      for (const identity of identities) {
        this.saveCounter.run(identity, name, this.counterMap(name).get(identity));
      }
    }
    this.dirtyCounters.clear();
  }

  private countAfter(db: SqliteDatabase, seq: number): void {
    // By the key alone: an index would be gone through from end to end.
    const rows = db.prepare<[number], UncountedRow>(
      `SELECT identity, lane, priority, sum(entries) AS entries, sum(bytes) AS bytes,
         max(first_seq + entries - 1) AS last_seq, count(*) AS chunks
       FROM chunks NOT INDEXED WHERE first_seq > ? GROUP BY identity, lane, priority`,
    );
    for (const { identity, lane, priority, entries, bytes, last_seq, chunks } of rows.all(seq)) {
      const count = this.lane(identity, lane, priority);
      this.enter(count, entries, bytes);
      count.lastSeq = last_seq;
      this.nextSeq = Math.max(this.nextSeq, last_seq + 1);
      this.uncounted += chunks;
    }
  }

  private add(count: LaneCount, entries: number, bytes: number): void {
    count.entries += entries;
    count.bytes += bytes;
    this.dirtyLanes.add(count);
    this.grow(count.identity, entries, bytes);
  }

  private grow(identity: number, entries: number, bytes: number): void {
    this.entries += entries;
    this.bytes += bytes;
    let total = this.identityTotals.get(identity);
    if (total === undefined) {
      total = { entries: 0, bytes: 0 };
      this.identityTotals.set(identity, total);
    }
    total.entries += entries;
    total.bytes += bytes;
  }

  private counterMap(name: CounterName): Map<number, number> {
    let counter = this.counters.get(name);
    if (counter === undefined) {
      counter = new Map();
      this.counters.set(name, counter);
    }
    return counter;
  }
}

const nothing: Amount = { entries: 0, bytes: 0 };

/** Priorities are 0 to 9, lanes 0 and 1. */
function laneKey(identity: number, lane: number, priority: number): number {
  return (identity * 2 + lane) * 10 + priority;
}

import { InvariantError } from "../../core/errors.ts";
import type { Batch, BatchLimits, DeadReason, DeadVerdict, WireEntry } from "../types.ts";
import type { Batches, Slice, StoredBatch } from "./batches.ts";
import type { Boots } from "./boots.ts";
import { type Chunk, decodePayload, type Entry, entryBytes, laneNumber, laneOf } from "./chunk.ts";
import type { ChunkTable } from "./chunk-table.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { Frontier } from "./frontier.ts";
import type { LaneCount, Ledger } from "./ledger.ts";
import type { Pins } from "./pins.ts";
import type { Seconds } from "./seconds.ts";

export interface OutletDependencies {
  readonly ledger: Ledger;
  readonly chunks: ChunkTable;
  readonly batches: Batches;
  readonly pins: Pins;
  readonly seconds: Seconds;
  readonly frontier: Frontier;
  readonly dead: DeadLetters;
  readonly boots: Boots;
}

/** With its true time, as far as that is known. */
interface DatedEntry extends Entry {
  readonly isEstimated: boolean;
}

/** Its entries as they will be on the wire. */
interface OpenedChunk {
  readonly chunk: Chunk;
  readonly entries: readonly DatedEntry[];
}

/** What the forwarder does, within the transaction that is being prepared (`QueueOutlet` says what it promises). */
export class Outlet {
  private readonly parts: OutletDependencies;

  constructor(parts: OutletDependencies) {
    this.parts = parts;
    const { batches, chunks, pins } = parts;
    for (const batch of [...batches.all()]) {
      const held = batch.slices.map((slice) => ({ slice, chunk: chunks.get(slice.firstSeq) }));
      // Only a salvage can part a batch from its chunks.
      if (held.some(({ chunk }) => chunk === undefined)) batches.remove(batch.id);
      else for (const { slice, chunk } of held) if (chunk) pins.add(chunk, slice.seconds.length);
    }
  }

  /**
   * @param isHeld whether a stored batch is with the forwarder already
   * @returns a batch without entries when those that were next are all dead by now
   */
  take(
    identity: number,
    lane: number,
    limits: BatchLimits,
    isHeld: (id: number) => boolean,
  ): Batch | undefined {
    for (const batch of this.parts.batches.all()) {
      const isNext = batch.identity === identity && batch.lane === lane && !isHeld(batch.id);
      if (isNext && this.isWithin(batch, limits)) return this.read(batch);
    }
    const batch = this.compose(identity, lane, limits);
    // Dead to the last: what is behind is a matter of the next commit, for there may be much of it.
    if (batch?.entries.length === 0) this.settle(batch, []);
    return batch;
  }

  moveOn(batch: Batch, refused: readonly number[]): Batch {
    const { batches, seconds } = this.parts;
    const stored = batches.get(batch.id);
    if (stored === undefined) return { ...batch, entries: [] };
    const wanted = new Set(refused);
    for (const slice of stored.slices) {
      for (const [index, before] of slice.seconds.entries()) {
        if (before === null || !wanted.has(slice.firstSeq + slice.from + index)) continue;
        const opened = this.openSlice(slice);
        const entry = opened.entries[index] as Entry;
        const own = Math.floor(entry.timeMs / 1000);
        const second = seconds.allot(stored.identity, entry.alias, own, before + 1);
        slice.seconds[index] = second ?? null;
        if (second === undefined) this.bury(opened, slice, index, { reason: "too-dense" });
        // One that had moved before is counted already.
        else if (before === own) this.parts.ledger.count(stored.identity, "moved", 1);
      }
    }
    batches.save(stored);
    return this.read(stored);
  }

  settle(batch: Batch, dead: readonly DeadVerdict[]): void {
    const { batches, chunks, pins, ledger } = this.parts;
    const stored = batches.get(batch.id);
    // After a salvage: its entries are handed out anew.
    if (stored === undefined) return;
    const verdicts = new Map(dead.map((verdict) => [verdict.seq, verdict]));
    for (const slice of stored.slices) {
      let delivered = 0;
      for (const [index, second] of slice.seconds.entries()) {
        const verdict = verdicts.get(slice.firstSeq + slice.from + index);
        if (second === null) continue;
        if (verdict === undefined) delivered += 1;
        else this.reject(slice, index, second, verdict);
      }
      ledger.count(stored.identity, "delivered", delivered);
      const chunk = chunks.get(slice.firstSeq);
      if (chunk !== undefined) chunks.leave(chunk, slice.seconds.length);
      pins.remove(slice.firstSeq);
    }
    batches.remove(stored.id);
  }

  /** All of the live lane joins the backlog. */
  demote(identity: number): void {
    const { ledger, chunks, batches, pins, frontier } = this.parts;
    const [live, backlog] = [laneNumber("live"), laneNumber("backlog")];
    for (const chunk of this.oldestFirst(identity, live)) {
      for (const { alias, timeMs } of this.open(chunk).entries) {
        frontier.note(identity, alias, Math.floor(timeMs / 1000));
      }
    }
    for (const lane of [...ledger.filled(identity, live)]) {
      chunks.move(lane, ledger.lane(identity, backlog, lane.priority));
    }
    batches.move(identity, live, backlog);
    pins.move(identity, live, backlog);
  }

  private reject(slice: Slice, index: number, second: number, verdict: DeadVerdict): void {
    const opened = this.openSlice(slice);
    this.bury(opened, slice, index, verdict);
    const { alias } = opened.entries[index] as Entry;
    this.parts.seconds.free(opened.chunk.identity, alias, second);
  }

  private bury(
    { chunk, entries }: OpenedChunk,
    slice: Slice,
    index: number,
    verdict: { readonly reason: DeadReason; readonly status?: number; readonly answer?: string },
  ): void {
    this.parts.dead.add({
      ...(entries[index] as Entry),
      identity: chunk.identity,
      stampedBy: chunk.stamped_by,
      reason: verdict.reason,
      ...(verdict.status !== undefined && { status: verdict.status }),
      ...(verdict.answer !== undefined && { answer: verdict.answer }),
      seq: slice.firstSeq + slice.from + index,
    });
  }

  /** A new batch of the oldest entries. Its entries may all have turned out dead; undefined when nothing waits. */
  private compose(identity: number, lane: number, limits: BatchLimits): Batch | undefined {
    const { batches, pins, boots } = this.parts;
    const slices: Slice[] = [];
    const picked: OpenedChunk[] = [];
    let entries = 0;
    let bytes = 0;
    for (const chunk of this.oldestFirst(identity, lane, limits.minPriority)) {
      if (boots.isHeld(chunk)) break;
      const all = this.open(chunk);
      let count = 0;
      for (const { alias, value } of all.entries) {
        const next = bytes + entryBytes(alias, value);
        if (entries >= limits.maxEntries || (entries > 0 && next > limits.maxBytes)) break;
        entries += 1;
        bytes = next;
        count += 1;
      }
      if (count === 0) break;
      picked.push({ chunk, entries: all.entries.slice(0, count) });
      if (count < all.entries.length) break;
    }
    if (picked.length === 0) return undefined;
    for (const opened of picked) {
      slices.push(this.allot(opened, lane));
      pins.add(opened.chunk, opened.entries.length);
    }
    const stored = batches.add(identity, lane, slices);
    return toBatch(stored, picked);
  }

  private allot(opened: OpenedChunk, lane: number): Slice {
    const { seconds, ledger, frontier } = this.parts;
    const isLive = lane === laneNumber("live");
    const { chunk, entries } = opened;
    const slice: Slice = { firstSeq: chunk.first_seq, from: chunk.gone, seconds: [] };
    let moved = 0;
    let estimated = 0;
    for (const [index, { alias, timeMs, isEstimated }] of entries.entries()) {
      const own = Math.floor(timeMs / 1000);
      const from = isLive ? frontier.after(chunk.identity, alias, own) : own;
      const second = seconds.allot(chunk.identity, alias, own, from);
      slice.seconds.push(second ?? null);
      if (second === undefined) this.bury(opened, slice, index, { reason: "too-dense" });
      else if (second !== own) moved += 1;
      if (isEstimated && second !== undefined) estimated += 1;
    }
    ledger.count(chunk.identity, "moved", moved);
    ledger.count(chunk.identity, "estimated", estimated);
    return slice;
  }

  /** Chunks of all priorities from the given one on, merged, without those that are in batches. */
  private *oldestFirst(identity: number, lane: number, minPriority = 0): Generator<Chunk> {
    const { ledger, chunks, pins } = this.parts;
    const filled = [...ledger.filled(identity, lane)].filter(({ priority }) => priority >= minPriority);
    const sources = filled.map((count: LaneCount) => {
      const iterator = chunks.of(count);
      return { iterator, next: nextFree(iterator, pins) };
    });
    for (;;) {
      const [first] = sources
        .filter(({ next }) => next !== undefined)
        .sort((a, b) => (a.next?.first_seq ?? 0) - (b.next?.first_seq ?? 0));
      if (first?.next === undefined) return;
      yield first.next;
      first.next = nextFree(first.iterator, pins);
    }
  }

  private isWithin({ slices }: StoredBatch, { minPriority }: BatchLimits): boolean {
    if (minPriority === undefined) return true;
    const { chunks } = this.parts;
    return slices.some(({ firstSeq }) => (chunks.get(firstSeq)?.priority ?? 0) >= minPriority);
  }

  private read(stored: StoredBatch): Batch {
    return toBatch(
      stored,
      stored.slices.map((slice) => this.openSlice(slice)),
    );
  }

  private openSlice({ firstSeq, from, seconds }: Slice): OpenedChunk {
    const chunk = this.parts.chunks.get(firstSeq);
    if (chunk === undefined) throw new InvariantError("a batch's chunk is gone", { context: { firstSeq } });
    return { chunk, entries: this.decode(chunk).slice(from, from + seconds.length) };
  }

  private open(chunk: Chunk): OpenedChunk {
    return { chunk, entries: this.decode(chunk).slice(chunk.gone) };
  }

  private decode(chunk: Chunk): readonly DatedEntry[] {
    const { boots } = this.parts;
    return decodePayload(chunk.payload).map((entry) => ({
      ...entry,
      timeMs: entry.timeMs + boots.shiftMs(chunk, entry.timeMs),
      isEstimated: boots.isEstimated(chunk, entry.timeMs),
    }));
  }
}

function nextFree(chunks: Generator<Chunk>, pins: Pins): Chunk | undefined {
  for (;;) {
    const { value, done } = chunks.next();
    if (done === true) return undefined;
    if (pins.hasRest(value.first_seq)) return undefined;
    if (!pins.has(value.first_seq)) return value;
  }
}

function toBatch({ id, identity, lane, slices }: StoredBatch, opened: readonly OpenedChunk[]): Batch {
  const entries: WireEntry[] = [];
  for (const [index, { firstSeq, from, seconds }] of slices.entries()) {
    for (const [offset, entry] of (opened[index]?.entries ?? []).entries()) {
      const second = seconds[offset];
      if (typeof second === "number") entries.push({ ...entry, seq: firstSeq + from + offset, second });
    }
  }
  return { id, identityId: identity, lane: laneOf(lane), entries };
}

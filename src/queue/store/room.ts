import { QueueFullError } from "../errors.ts";
import type { DropCause, QueueLimits } from "../types.ts";
import type { Boots } from "./boots.ts";
import type { ChunkHead } from "./chunk.ts";
import type { ChunkTable } from "./chunk-table.ts";
import type { Amount, LaneCount, Ledger } from "./ledger.ts";
import { canNeverFit, type Shortage, shortage, shortestAgeMs } from "./limits.ts";
import type { Pins } from "./pins.ts";

export interface RoomDependencies {
  readonly ledger: Ledger;
  readonly chunks: ChunkTable;
  readonly pins: Pins;
  readonly boots: Boots;
  readonly limits: QueueLimits;
}

/** Keeps the queue within its limits: refuses what is new, or drops what is there. */
export class Room {
  private readonly parts: RoomDependencies;

  constructor(parts: RoomDependencies) {
    this.parts = parts;
  }

  /** Whether it fits as things are: the fast way. */
  has(identity: number, added: Amount): boolean {
    const { ledger, limits } = this.parts;
    return (
      shortage(ledger.total(), added, limits) === undefined &&
      shortage(ledger.ofIdentity(identity), added, limits.perIdentity) === undefined
    );
  }

  /**
   * Drops what must go for an entry of this priority to come in.
   * @throws QueueFullError, with nothing dropped, where that is not allowed or not enough
   */
  make(identity: number, added: Amount, priority: number): void {
    const { ledger, limits } = this.parts;
    const { perIdentity, whenFull } = limits;
    if (whenFull === "reject" || canNeverFit(added, limits) || canNeverFit(added, perIdentity)) {
      throw new QueueFullError("the queue is full");
    }
    const own = shortage(ledger.ofIdentity(identity), added, perIdentity);
    const droppable = (lane: LaneCount): boolean => whenFull === "drop-oldest" || lane.priority <= priority;
    const ownLanes = [...ledger.filled(identity)].filter(droppable);
    const allLanes = [...ledger.filled()].filter(droppable);
    if (own !== undefined) this.requireDroppable(ownLanes, own);
    const all = shortage(ledger.total(), added, limits);
    if (all !== undefined) this.requireDroppable(allLanes, all);
    if (own !== undefined) this.drop(ownLanes, own);
    // What went for the identity's own limit counts for the whole.
    const rest = shortage(ledger.total(), added, limits);
    if (rest !== undefined) this.drop(allLanes, rest);
  }

  /** Drops what is older than allowed. */
  expire(): void {
    const { ledger, chunks, pins, boots, limits } = this.parts;
    const maxAgeMs = shortestAgeMs(limits);
    if (maxAgeMs === undefined) return;
    for (const lane of [...ledger.filled()]) {
      for (;;) {
        const chunk = chunks.oldest(lane, pins.has);
        if (chunk === undefined || boots.ageMs(chunk) <= maxAgeMs) break;
        this.leave(chunk, chunk.entries - chunk.gone, "age");
      }
    }
  }

  private requireDroppable(lanes: readonly LaneCount[], { entries, bytes }: Shortage): void {
    let droppable = { entries: 0, bytes: 0 };
    for (const lane of lanes) {
      const pinned = this.parts.pins.amount(lane);
      droppable = {
        entries: droppable.entries + lane.entries - pinned.entries,
        bytes: droppable.bytes + lane.bytes - pinned.bytes,
      };
    }
    if (droppable.entries < entries || droppable.bytes < bytes) {
      throw new QueueFullError("the queue is full, and what could give way is not enough");
    }
  }

  private drop(lanes: readonly LaneCount[], missing: Shortage): void {
    let { entries, bytes } = missing;
    while (entries > 0 || bytes > 0) {
      const chunk = this.nextVictim(lanes);
      if (chunk === undefined) return;
      const count = this.howMany(chunk, entries, bytes);
      bytes -= this.leave(chunk, count, missing.cause);
      entries -= count;
    }
  }

  private nextVictim(lanes: readonly LaneCount[]): ChunkHead | undefined {
    const { chunks, pins, limits } = this.parts;
    let victim: ChunkHead | undefined;
    for (const lane of lanes) {
      if (lane.entries === 0) continue;
      const isWorse = limits.whenFull === "drop-lowest-priority" && lane.priority > (victim?.priority ?? 9);
      const chunk = isWorse ? undefined : chunks.oldest(lane, pins.has);
      if (chunk !== undefined && (victim === undefined || this.goesFirst(chunk, victim))) victim = chunk;
    }
    return victim;
  }

  private goesFirst(one: ChunkHead, other: ChunkHead): boolean {
    if (this.parts.limits.whenFull === "drop-lowest-priority" && one.priority !== other.priority) {
      return one.priority < other.priority;
    }
    return one.first_seq < other.first_seq;
  }

  /** As few of the chunk's entries as are enough. */
  private howMany(chunk: ChunkHead, entries: number, bytes: number): number {
    const present = chunk.entries - chunk.gone;
    if (entries >= present || bytes >= chunk.bytes - chunk.gone_bytes) return present;
    let count = Math.max(1, entries);
    while (count < present && this.parts.chunks.leadingBytes(chunk, count) < bytes) count += 1;
    return count;
  }

  /** @returns how many bytes went */
  private leave(chunk: ChunkHead, count: number, cause: DropCause): number {
    const { ledger, chunks } = this.parts;
    const before = ledger.total().bytes;
    chunks.leave(chunk, count);
    ledger.count(chunk.identity, `dropped-${cause}`, count);
    return before - ledger.total().bytes;
  }
}

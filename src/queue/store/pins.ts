import type { ChunkHead } from "./chunk.ts";
import type { Amount, LaneCount } from "./ledger.ts";

interface Pin {
  readonly identity: number;
  lane: number;
  readonly priority: number;
  readonly entries: number;
  readonly bytes: number;
  readonly hasRest: boolean;
}

/** Chunks that are in a batch: whole, though the batch may hold but their first entries. */
export class Pins {
  private readonly pins = new Map<number, Pin>();

  readonly has = (firstSeq: number): boolean => this.pins.has(firstSeq);

  /** Whether entries of the chunk are behind those in the batch: nothing that follows it may go before them. */
  hasRest(firstSeq: number): boolean {
    return this.pins.get(firstSeq)?.hasRest === true;
  }

  /** @param taken how many of the entries that are still there are in the batch */
  add(chunk: ChunkHead, taken: number): void {
    const { first_seq, identity, lane, priority, gone, bytes, gone_bytes } = chunk;
    const entries = chunk.entries - gone;
    const hasRest = taken < entries;
    this.pins.set(first_seq, { identity, lane, priority, entries, bytes: bytes - gone_bytes, hasRest });
  }

  remove(firstSeq: number): void {
    this.pins.delete(firstSeq);
  }

  move(identity: number, from: number, to: number): void {
    for (const pin of this.pins.values()) {
      if (pin.identity === identity && pin.lane === from) pin.lane = to;
    }
  }

  amount({ identity, lane, priority }: LaneCount): Amount {
    let entries = 0;
    let bytes = 0;
    for (const pin of this.pins.values()) {
      if (pin.identity !== identity || pin.lane !== lane || pin.priority !== priority) continue;
      entries += pin.entries;
      bytes += pin.bytes;
    }
    return { entries, bytes };
  }
}

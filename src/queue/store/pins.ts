import type { ChunkHead } from "./chunk.ts";
import type { Amount, LaneCount } from "./ledger.ts";

interface Pin {
  readonly identity: number;
  lane: number;
  readonly priority: number;
  readonly entries: number;
  readonly bytes: number;
}

/** Chunks that are in a batch: whole, though the batch may hold but their first entries. */
export class Pins {
  private readonly pins = new Map<number, Pin>();

  readonly has = (firstSeq: number): boolean => this.pins.has(firstSeq);

  add({ first_seq, identity, lane, priority, entries, gone, bytes, gone_bytes }: ChunkHead): void {
    this.pins.set(first_seq, {
      identity,
      lane,
      priority,
      entries: entries - gone,
      bytes: bytes - gone_bytes,
    });
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

/** What a disk holds after its power failed: everything up to the last flush, and of what came later anything. */
import type { Dice } from "./random.ts";
import { type LogEntry, sectorBytes } from "./write-log.ts";

/** What the file system takes for one write. A disk may still tear it at its sectors. */
export const blockBytes = 4096;
const sectorsPerBlock = blockBytes / sectorBytes;

export interface PowerCut {
  /** Entries of the log that had been issued when the power failed. */
  readonly issued: number;
  /** Of these, the first that are on the disk for certain: up to and with the last flush. */
  readonly durable: number;
  readonly fate: Fate;
  /** Seed of what became of each block. */
  readonly seed: number;
}

/**
 * What became of writes after the last flush:
 * - `none`, `all`: lost or kept as a whole
 * - `in-order`: a disk without a cache: kept up to a place, torn there
 * - `last-only`: the newest overtook the others
 * - `blocks`: each block for itself kept, lost or torn
 */
export type Fate = "none" | "all" | "in-order" | "last-only" | "blocks";

/** Weighted by how much a fate can show. */
const fates: readonly Fate[] = [
  "none",
  "all",
  "in-order",
  "in-order",
  "last-only",
  "blocks",
  "blocks",
  "blocks",
];

/** A part of a disk and what is there after the cut. */
export interface Patch {
  readonly offset: number;
  readonly data: Uint8Array;
}

/** A power cut at any moment of the log. @param from the earliest: so many entries have been issued */
export function planCut(log: readonly LogEntry[], dice: Dice, from = 0): PowerCut {
  const issued = dice.between(from, log.length);
  let durable = issued;
  while (durable > 0 && log[durable - 1]?.kind !== "flush") durable -= 1;
  return { issued, durable, fate: dice.pick(fates), seed: dice.between(0, 0x7fff_ffff) };
}

/** Bytes of the log at the moment of the cut: what was acknowledged when the log was no longer than this must be there. */
export function logBytesAt(log: readonly LogEntry[], cut: PowerCut): number {
  return log[cut.issued - 1]?.end ?? 0;
}

/** What the disk holds beyond its durable part, in the order in which it is to be put there. */
export function survivors(log: readonly LogEntry[], cut: PowerCut, dice: Dice): readonly Patch[] {
  const blocks = log.slice(cut.durable, cut.issued).flatMap(blocksOf);
  switch (cut.fate) {
    case "none":
      return [];
    case "all":
      return blocks;
    case "in-order": {
      const kept = dice.between(0, blocks.length);
      const next = blocks[kept];
      return [...blocks.slice(0, kept), ...(next === undefined ? [] : torn(next, "front", dice))];
    }
    case "last-only":
      return blocks.slice(-1);
    case "blocks": {
      const keep = dice.pick([0.1, 0.5, 0.9]);
      return blocks.flatMap((block) => {
        if (dice.chance(0.15)) return torn(block, "any", dice);
        return dice.chance(keep) ? [block] : [];
      });
    }
  }
}

function blocksOf(entry: LogEntry): readonly Patch[] {
  if (entry.kind === "flush") return [];
  const data = entry.kind === "write" ? entry.data : Buffer.alloc(entry.bytes);
  const blocks: Patch[] = [];
  for (let start = 0; start < data.length; ) {
    const untilBoundary = blockBytes - ((entry.offset + start) % blockBytes);
    const end = Math.min(data.length, start + untilBoundary);
    blocks.push({ offset: entry.offset + start, data: data.subarray(start, end) });
    start = end;
  }
  return blocks;
}

/** Some sectors of a block, not all: the first few, or any. */
function torn({ offset, data }: Patch, which: "front" | "any", dice: Dice): readonly Patch[] {
  const sectors = Math.min(sectorsPerBlock, data.length / sectorBytes);
  const cutAt = dice.between(0, sectors - 1);
  const kept = Array.from({ length: sectors }, (_, index) =>
    which === "front" ? index < cutAt : index !== cutAt && dice.chance(0.5),
  );
  return kept.flatMap((isKept, index) => {
    const start = index * sectorBytes;
    return isKept ? [{ offset: offset + start, data: data.subarray(start, start + sectorBytes) }] : [];
  });
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DiskImage } from "../../power/disk-image.ts";
import { type Fate, logBytesAt, type Patch, planCut, survivors } from "../../power/power-cut.ts";
import { Dice } from "../../power/random.ts";
import { type LogEntry, parseWriteLog, sectorBytes } from "../../power/write-log.ts";
import { temporaryDirectory } from "../../support/temp-directory.ts";

const diskSectors = 64;

/** Write `n` fills some sectors with the byte `n`; sectors of one block mostly, or of several. */
const logs = fc
  .array(
    fc.oneof(
      fc.record({ sector: fc.nat(diskSectors - 1), count: fc.integer({ min: 1, max: 24 }) }),
      fc.constant("flush" as const),
    ),
    { minLength: 1, maxLength: 40 },
  )
  .map((steps) => {
    let end = sectorBytes;
    return steps.map((step, index): LogEntry => {
      end += sectorBytes;
      if (step === "flush") return { kind: "flush", end };
      const count = Math.min(step.count, diskSectors - step.sector);
      end += count * sectorBytes;
      const data = Buffer.alloc(count * sectorBytes, index + 1);
      return { kind: "write", offset: step.sector * sectorBytes, data, end };
    });
  });

function encode(log: readonly LogEntry[]): Buffer {
  const header = Buffer.alloc(sectorBytes);
  header.writeBigUInt64LE(0x6a736677736872n, 0);
  header.writeBigUInt64LE(1n, 8);
  header.writeBigUInt64LE(BigInt(log.length), 16);
  header.writeUInt32LE(sectorBytes, 24);
  const parts = log.flatMap((entry) => {
    const head = Buffer.alloc(sectorBytes);
    if (entry.kind === "flush") {
      head.writeBigUInt64LE(1n, 16);
      return [head];
    }
    if (entry.kind === "discard") throw new TypeError("there is none");
    head.writeBigUInt64LE(BigInt(entry.offset / sectorBytes), 0);
    head.writeBigUInt64LE(BigInt(entry.data.length / sectorBytes), 8);
    return [head, entry.data];
  });
  return Buffer.concat([header, ...parts]);
}

/** Which write each sector is of; 0: none. */
function sectorsAfter(log: readonly LogEntry[], count: number): number[] {
  const sectors = new Array<number>(diskSectors).fill(0);
  for (const entry of log.slice(0, count)) if (entry.kind === "write") put(sectors, entry);
  return sectors;
}

function put(sectors: number[], { offset, data }: Patch): void {
  for (let at = 0; at < data.length; at += sectorBytes) sectors[(offset + at) / sectorBytes] = data[at] ?? 0;
}

describe("the write log", () => {
  it("is read as it was written", () => {
    fc.assert(
      fc.property(logs, (log) => {
        expect(parseWriteLog(encode(log))).toEqual(log);
      }),
    );
  });

  it("is refused when it ends early", () => {
    const log = encode([
      { kind: "write", offset: 0, data: Buffer.alloc(sectorBytes, 1), end: 3 * sectorBytes },
      { kind: "flush", end: 4 * sectorBytes },
    ]);
    expect(() => parseWriteLog(log.subarray(0, 2 * sectorBytes + 1))).toThrow("in the middle");
    expect(() => parseWriteLog(log.subarray(0, 3 * sectorBytes))).toThrow("announces 2 entries and holds 1");
    expect(() => parseWriteLog(Buffer.alloc(1024))).toThrow("not a write log");
  });
});

describe("a power cut", () => {
  it("keeps all that was flushed, and of the rest only what was being written there", () => {
    fc.assert(
      fc.property(logs, fc.nat(), (log, seed) => {
        const cut = planCut(log, new Dice(seed));
        expect(log.slice(cut.durable, cut.issued).some(({ kind }) => kind === "flush")).toBe(false);
        expect(cut.durable === 0 || log[cut.durable - 1]?.kind === "flush").toBe(true);
        const after = sectorsAfter(log, cut.durable);
        const before = [...after];
        for (const patch of survivors(log, cut, new Dice(cut.seed))) put(after, patch);
        for (const [sector, value] of after.entries()) {
          const possible = log.slice(cut.durable, cut.issued).flatMap((entry, index) => {
            const covers =
              entry.kind === "write" &&
              sector * sectorBytes >= entry.offset &&
              sector * sectorBytes < entry.offset + entry.data.length;
            return covers ? [cut.durable + index + 1] : [];
          });
          expect([before[sector], ...possible]).toContain(value);
        }
      }),
    );
  });

  it.each(["none", "all"] as const)("can leave %s of what came after the last flush", (fate: Fate) => {
    fc.assert(
      fc.property(logs, fc.nat(), (log, seed) => {
        const cut = { ...planCut(log, new Dice(seed)), fate };
        const after = sectorsAfter(log, cut.durable);
        for (const patch of survivors(log, cut, new Dice(cut.seed))) put(after, patch);
        expect(after).toEqual(sectorsAfter(log, fate === "all" ? cut.issued : cut.durable));
      }),
    );
  });

  it("tears blocks at their sectors", () => {
    const data = Buffer.alloc(4096, 1);
    const log: LogEntry[] = [{ kind: "write", offset: 0, data, end: 0 }];
    const kept = Array.from({ length: 200 }, (_, seed) => {
      const cut = { issued: 1, durable: 0, fate: "in-order", seed } as const;
      const patches = survivors(log, cut, new Dice(seed));
      return patches.reduce((sum, patch) => sum + patch.data.length, 0) / sectorBytes;
    });
    expect([...new Set(kept)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("comes after what was acknowledged when the log was no longer", () => {
    fc.assert(
      fc.property(logs, fc.nat(), (log, seed) => {
        const cut = planCut(log, new Dice(seed));
        const at = logBytesAt(log, cut);
        expect(log.filter(({ end }) => end <= at)).toHaveLength(cut.issued);
      }),
    );
  });
});

describe("a disk image", () => {
  it("played forward in steps is the same as at once, where it is written out too", () => {
    const directory = temporaryDirectory();
    fc.assert(
      fc.property(logs, fc.nat(40), (log, step) => {
        const bytes = diskSectors * sectorBytes;
        const image = new DiskImage(Buffer.alloc(bytes));
        image.advance(log, Math.min(step, log.length));
        image.advance(log, log.length);
        const file = join(directory, "disk");
        image.writeTo(file, []);
        const written = readFileSync(file);
        const sectors = Array.from({ length: diskSectors }, (_, sector) => written[sector * sectorBytes]);
        expect(sectors).toEqual(sectorsAfter(log, log.length));
      }),
    );
  });
});

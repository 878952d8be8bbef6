import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  accepted,
  begin,
  movedOn,
  nextRequest,
  type Progress,
  refused,
  resumed,
} from "../../../../src/queue/forwarder/progress.ts";
import type { Batch, WireEntry } from "../../../../src/queue/types.ts";

const wide = { maxEntries: 1_000, maxBytes: 1_000_000 };

function batchOf(count: number, value = "v"): Batch {
  const entries = Array.from(
    { length: count },
    (_, index): WireEntry => ({ seq: index + 1, alias: "a", value, second: 100 + index, timeMs: 0 }),
  );
  return { id: 7, identityId: 1, lane: "backlog", entries };
}

/** Uploads a batch to a server that refuses every request with one of `bad` in it. */
function upload(progress: Progress, bad: ReadonlySet<number>, limits = wide, requests = 100_000) {
  const taken: number[] = [];
  let sent = 0;
  for (; sent < requests; sent++) {
    const request = nextRequest(progress, limits);
    if (request.length === 0) break;
    if (request.some(({ seq }) => bad.has(seq))) {
      progress = refused(progress, request, { status: 400, answer: "no" });
    } else {
      taken.push(...request.map(({ seq }) => seq));
      progress = accepted(progress, request);
    }
  }
  return { progress, taken, sent };
}

describe("a batch of which the server refuses some entries", () => {
  it("is delivered but for exactly those, in order, whatever the size of the requests", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 200 })),
        fc.integer({ min: 1, max: 250 }),
        fc.nat(40),
        (count, offenders, maxEntries, interruption) => {
          const bad = new Set(offenders.filter((seq) => seq <= count));
          const batch = batchOf(count);
          // A link that breaks meanwhile, then the same batch once more.
          const first = upload(begin(batch), bad, { ...wide, maxEntries }, interruption);
          const second = upload(resumed(first.progress, batch), bad, { ...wide, maxEntries });
          const seqs = batch.entries.map(({ seq }) => seq);
          expect([...first.taken, ...second.taken]).toEqual(seqs.filter((seq) => !bad.has(seq)));
          expect(second.progress.dead.map(({ seq }) => seq)).toEqual(seqs.filter((seq) => bad.has(seq)));
        },
      ),
    );
  });

  it("finds one offender among a thousand with about twenty requests", () => {
    expect(upload(begin(batchOf(1_000)), new Set([617])).sent).toBeLessThan(25);
  });

  it("gives up an entry with what the server answered", () => {
    const { progress } = upload(begin(batchOf(1)), new Set([1]));
    expect(progress.dead).toEqual([{ seq: 1, reason: "rejected", status: 400, answer: "no" }]);
  });
});

describe("the next request", () => {
  it("holds as many entries and bytes as allowed, and one entry whatever its size", () => {
    expect(nextRequest(begin(batchOf(10)), { maxEntries: 3, maxBytes: 1_000 })).toHaveLength(3);
    expect(nextRequest(begin(batchOf(10, "12345")), { maxEntries: 100, maxBytes: 13 })).toHaveLength(2);
    expect(nextRequest(begin(batchOf(10, "x".repeat(100))), { maxEntries: 100, maxBytes: 13 })).toHaveLength(
      1,
    );
  });

  it("has the seconds that entries were moved to, and leaves out those that were given up", () => {
    const batch = batchOf(3);
    const entries = batch.entries
      .filter(({ seq }) => seq !== 2)
      .map((entry) => (entry.seq === 3 ? { ...entry, second: 500 } : entry));
    const moved = movedOn(begin(batch), { ...batch, entries });
    expect(nextRequest(moved, wide).map(({ seq, second }) => [seq, second])).toEqual([
      [1, 100],
      [3, 500],
    ]);
  });
});

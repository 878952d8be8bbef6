import fc from "fast-check";
import { expect, test } from "vitest";
import { spacePoints } from "../../../src/emulator/record-spacing.ts";

test("kept points are a second or more apart; each refused one has a neighbour within a second", () => {
  const time = fc.integer({ min: 0, max: 100 }).map((tenths) => tenths / 10);
  fc.assert(
    fc.property(fc.array(time), (times) => {
      // The value tells which of the points was kept.
      const points = times.map((ts, index) => ({ text: String(ts), ts, value: Buffer.from(String(index)) }));
      const { kept, refused } = spacePoints(points);
      const keptTimes = kept.map(({ value }) => times[Number(value)] ?? Number.NaN).sort((a, b) => a - b);
      expect(kept.length + refused.length).toBe(times.length);
      expect(kept.map(({ ts }) => ts).sort((a, b) => a - b)).toEqual(keptTimes.map(Math.floor));
      for (const [index, ts] of keptTimes.slice(1).entries()) {
        expect(ts - (keptTimes[index] ?? Number.NaN)).toBeGreaterThanOrEqual(1 - 1e-9);
      }
      for (const text of refused) {
        expect(keptTimes.some((ts) => Math.abs(ts - Number(text)) < 1)).toBe(true);
      }
    }),
  );
});

test("the first of two wins", () => {
  const point = (text: string, value: string) => ({ text, ts: Number(text), value: Buffer.from(value) });
  expect(spacePoints([point("5.9", "a"), point("5", "b"), point("6.9", "c")])).toEqual({
    kept: [
      { ts: 5, value: Buffer.from("a") },
      { ts: 6, value: Buffer.from("c") },
    ],
    refused: ["5"],
  });
});

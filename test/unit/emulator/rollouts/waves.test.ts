import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inRolloutOrder, parseWaveSize, waveSizes } from "../../../../src/emulator/rollouts/waves.ts";

describe("a wave's size", () => {
  test.each([
    ["1%", { percent: 1 }],
    ["0.5 %", { percent: 0.5 }],
    ["100%", { percent: 100 }],
    ["25", { count: 25 }],
  ])("'%s' is understood", (text, size) => {
    expect(parseWaveSize(text)).toEqual(size);
  });

  test.each(["", "0", "0%", "101%", "-1", "ten", "1.5", "%"])("'%s' is refused", (text) => {
    expect(parseWaveSize(text)).toBeUndefined();
  });
});

test("waves are cumulative, rounded up, and those that add nobody are left out", () => {
  const usual = [{ percent: 1 }, { percent: 10 }, { percent: 50 }, { percent: 100 }];
  expect(waveSizes(usual, 1_000)).toEqual([10, 90, 400, 500]);
  expect(waveSizes(usual, 7)).toEqual([1, 3, 3]);
  expect(waveSizes([{ count: 5 }, { count: 3 }, { percent: 100 }], 20)).toEqual([5, 15]);
  expect(waveSizes([{ count: 5 }], 20)).toEqual([5]);
});

test("no wave is empty and together they never exceed the whole", () => {
  const size = fc.oneof(
    fc.record({ percent: fc.double({ min: 0.001, max: 100, noNaN: true }) }),
    fc.record({ count: fc.integer({ min: 1, max: 2_000 }) }),
  );
  fc.assert(
    fc.property(fc.array(size, { maxLength: 8 }), fc.integer({ min: 1, max: 1_000 }), (waves, total) => {
      const sizes = waveSizes(waves, total);
      expect(Math.min(1, ...sizes)).toBe(1);
      expect(sizes.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(total);
      const everybody = waveSizes([...waves, { percent: 100 }], total);
      expect(everybody.reduce((sum, one) => sum + one, 0)).toBe(total);
    }),
  );
});

test("the order is the same for one roll-out and another for the next", () => {
  const gateways = Array.from({ length: 50 }, (_, index) => ({ rid: `rid-${index}` }));
  const first = inRolloutOrder("a", gateways);
  expect(inRolloutOrder("a", gateways.toReversed())).toEqual(first);
  expect(inRolloutOrder("b", gateways)).not.toEqual(first);
  expect(new Set(first)).toEqual(new Set(gateways));
});

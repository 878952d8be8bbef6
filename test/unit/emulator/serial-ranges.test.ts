import fc from "fast-check";
import { expect, test } from "vitest";
import { rangeHolds } from "../../../src/emulator/store/serial-ranges.ts";
import type { SerialRange } from "../../../src/emulator/store/types.ts";

test("a base16 range of 16 digits is exact beyond what a double holds", () => {
  const bounds = fc.tuple(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  );
  fc.assert(
    fc.property(bounds, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), ([one, other], number) => {
      const [first, last] = one < other ? [one, other] : [other, one];
      const range: SerialRange = {
        format: "base16",
        length: 16,
        casing: "lower",
        first: String(first),
        last: String(last),
      };
      const sn = number.toString(16).padStart(16, "0");
      expect(rangeHolds(range, sn)).toBe(number >= first && number <= last);
    }),
  );
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { parseRange } from "../../../src/emulator/http/range.ts";

test("a satisfiable range lies inside the content and is never empty", () => {
  const part = fc.oneof(fc.constant(""), fc.nat({ max: 30 }).map(String));
  fc.assert(
    fc.property(part, part, fc.nat({ max: 20 }), (first, last, total) => {
      const range = parseRange(`bytes=${first}-${last}`, total);
      if (range === undefined || range === "unsatisfiable") return;
      expect(range.start).toBeGreaterThanOrEqual(0);
      expect(range.start).toBeLessThanOrEqual(range.end);
      expect(range.end).toBeLessThan(total);
    }),
  );
});

test.each([
  ["bytes=0-", 5, { start: 0, end: 4 }],
  ["bytes=2-3", 5, { start: 2, end: 3 }],
  ["bytes=-2", 5, { start: 3, end: 4 }],
  ["bytes=5-", 5, "unsatisfiable"],
  ["bytes=0-", 0, "unsatisfiable"],
  ["bytes=-", 5, undefined],
  [undefined, 5, undefined],
] as const)("%s of %i bytes", (header, total, expected) => {
  expect(parseRange(header, total)).toEqual(expected);
});

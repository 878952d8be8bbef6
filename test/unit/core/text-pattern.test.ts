import fc from "fast-check";
import { expect, test } from "vitest";
import { textPattern } from "../../../src/core/text-pattern.ts";

test.each([
  ["A*", "abc", true],
  ["A*", "bac", false],
  ["a?c", "abc", true],
  ["a?c", "abbc", false],
  ["x,b*", "BB:01", true],
  ["1.2.*", "1x2.3", false],
  ["", "", false],
  ["(a", "(A", true],
])("'%s' and '%s': %s", (pattern, text, isLike) => {
  expect(textPattern(pattern)(text)).toBe(isLike);
});

test("any text without signs of its own is like itself, and like whatever begins it", () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1 }).filter((text) => !/[*?,]/.test(text)),
      (text) => {
        expect(textPattern(text)(text)).toBe(true);
        expect(textPattern(`${text.slice(0, 1)}*`)(text)).toBe(true);
      },
    ),
  );
});

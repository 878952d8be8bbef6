import fc from "fast-check";
import { expect, test } from "vitest";
import { escapeNul, unescapeNul } from "../../../../src/emulator/store/postgres/nul-escape.ts";

const text = fc
  .array(fc.constantFrom("\0", "\u{10fffd}", "0", "1", "a", "é"), { maxLength: 12 })
  .map((characters) => characters.join(""));

test("any text comes back, and holds no NUL on the way", () => {
  fc.assert(
    fc.property(text, (given) => {
      const stored = escapeNul(given);
      expect(stored).not.toContain("\0");
      expect(unescapeNul(stored)).toBe(given);
    }),
  );
});

test("what needs no escape is stored as it is", () => {
  expect(escapeNul("engine_fetch")).toBe("engine_fetch");
});

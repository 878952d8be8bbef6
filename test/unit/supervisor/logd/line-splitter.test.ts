import fc from "fast-check";
import { expect, test } from "vitest";
import { LineSplitter } from "../../../../src/supervisor/logd/line-splitter.ts";

test("however output is cut into chunks, each line comes out once, whole or in pieces that fit", () => {
  const chunk = fc.string({ unit: fc.constantFrom("a", "b", "\n"), maxLength: 20 });
  fc.assert(
    fc.property(fc.array(chunk), fc.integer({ min: 1, max: 8 }), (chunks, maxBytes) => {
      const splitter = new LineSplitter(maxBytes);
      const lines = [...chunks.flatMap((text) => splitter.push(Buffer.from(text))), ...splitter.end()].map(
        String,
      );
      const text = chunks.join("");
      expect(lines.join("")).toBe(text.replaceAll("\n", ""));
      expect(lines.every(({ length }) => length >= 1 && length <= maxBytes)).toBe(true);
      const expected = text
        .split("\n")
        .flatMap((line) => line.match(new RegExp(`.{1,${maxBytes}}`, "g")) ?? []);
      expect(lines).toEqual(expected);
    }),
  );
});

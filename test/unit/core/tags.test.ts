import fc from "fast-check";
import { expect, test } from "vitest";
import { isTag, tagsOf, withTags } from "../../../src/core/tags.ts";

const tag = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter(isTag);

test("the words of a serial's text are its tags, each once", () => {
  expect(tagsOf("hall-3; lab,site:berlin  lab\n")).toEqual(["hall-3", "lab", "site:berlin"]);
  expect(tagsOf(" ; ")).toEqual([]);
});

test("what a filter could misread is no tag", () => {
  expect(["pilot", "site:berlin", "Halle-3", "größe", "x".repeat(64)].filter((text) => !isTag(text))).toEqual(
    [],
  );
  expect(["", "a b", "a,b", "a;b", "a*", "?", '"', "-a", "x".repeat(65)].filter(isTag)).toEqual([]);
});

test("those added are there, those removed are not, all others stay in their order", () => {
  fc.assert(
    fc.property(fc.array(tag), fc.array(tag), fc.array(tag), (before, add, remove) => {
      const after = tagsOf(withTags(before.join("; "), { add, remove }));
      expect(after).toEqual(expect.arrayContaining(add));
      expect(after.filter((one) => remove.includes(one) && !add.includes(one))).toEqual([]);
      const others = tagsOf(before.join(" ")).filter((one) => !remove.includes(one));
      expect(after.slice(0, others.length)).toEqual(others);
    }),
  );
});

test("a text that needs no change stays as it was written", () => {
  expect(withTags("shelf 3,  lab", { add: ["lab"], remove: ["pilot"] })).toBe("shelf 3,  lab");
});

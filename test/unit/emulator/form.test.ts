import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeForm, Fields, parseForm } from "../../../src/emulator/http/form.ts";

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const key = fc.string({ unit: "binary", minLength: 1 }).filter((text) => text.isWellFormed());

test("any bytes survive encoding and decoding", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, bytes)), (pairs) => {
      const parsed = parseForm(Buffer.from(encodeForm(pairs)));
      expect(parsed.map(({ key, value }) => [key, value])).toEqual(pairs);
    }),
  );
});

test("reads what a browser's form encoding writes", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.string({ unit: "grapheme" }))), (pairs) => {
      const wellFormed = pairs.filter(([, value]) => value.isWellFormed());
      const body = new URLSearchParams(wellFormed).toString();
      const parsed = parseForm(Buffer.from(body));
      expect(parsed.map(({ key, value }) => [key, value?.toString()])).toEqual(wellFormed);
    }),
  );
});

describe("details", () => {
  const parse = (text: string) =>
    parseForm(Buffer.from(text)).map(({ key, value }) => [key, value?.toString()]);

  test.each([
    ["", []],
    ["a", [["a", undefined]]],
    ["a=", [["a", ""]]],
    ["a=b=c", [["a", "b=c"]]],
    ["a+b=c+d", [["a b", "c d"]]],
    ["&a=1&&b=2&", [["a", "1"], ["b", "2"]]], // biome-ignore format: one line a case
    ["a=%2B%26%3d", [["a", "+&="]]],
    ["a=ü", [["a", "ü"]]],
    ["a=1&a=2", [["a", "1"], ["a", "2"]]], // biome-ignore format: one line a case
  ] as const)("%j", (text, pairs) => {
    expect(parse(text)).toEqual(pairs);
  });

  test.each(["a=%", "a=%4", "a=%4g", "%=1", "a=%4&b=41"])("%j is malformed", (text) => {
    expect(() => parse(text)).toThrow("percent");
  });

  test("fields by name, lists with or without brackets", () => {
    const fields = new Fields(parseForm(Buffer.from("a=1&b[]=2&b[]=3&c&d=true")));
    expect([fields.get("a"), fields.get("c"), fields.get("x")]).toEqual(["1", "", undefined]);
    expect(fields.all("b")).toEqual(["2", "3"]);
    expect([fields.isTrue("d"), fields.isTrue("a")]).toEqual([true, false]);
    expect(() => fields.required("c")).toThrow("missing c");
  });
});

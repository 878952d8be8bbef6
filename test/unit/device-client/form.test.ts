import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeForm, encodeCompactForm, encodeForm } from "../../../src/device-client/form.ts";

const anyText = fc.string({ unit: "binary" });

describe("a form", () => {
  test("gives back any texts that were put in", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyText, anyText)), (pairs) => {
        expect(decodeForm(encodeForm(pairs))).toEqual(pairs);
        expect(decodeForm(encodeCompactForm(pairs))).toEqual(pairs);
        expect([...new URLSearchParams(encodeCompactForm(pairs))]).toEqual(
          pairs.map((pair) => pair.map((text) => text.toWellFormed())),
        );
      }),
    );
  });

  test("holds nothing but printable ASCII on the wire", () => {
    fc.assert(
      fc.property(anyText, (value) => {
        expect(encodeForm([["a", value]])).toMatch(/^a=[!-~]*$/);
        expect(encodeCompactForm([["a", value]])).toMatch(/^a=[!-~]*$/);
      }),
    );
  });

  test("leaves JSON in a body as it is", () => {
    expect(encodeCompactForm([["a", '{"b":[1,"c d&e=f;%"]}']])).toBe('a={"b":[1,"c+d%26e%3Df%3B%25"]}');
  });

  test("carries half of a surrogate pair as U+FFFD", () => {
    expect(decodeForm(encodeForm([["log", "cut \ud83d"]]))).toEqual([["log", "cut \ufffd"]]);
  });

  test("decodes any text without throwing", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("%", "a", "F", "2", "+", "&", "=", "é", "\n") }),
        (text) => {
          const pairs = decodeForm(text);
          for (const [key, value] of pairs ?? []) expect(`${key}${value}`.isWellFormed()).toBe(true);
        },
      ),
    );
  });

  test.each([
    [
      "a=1+2&b=%2B",
      [
        ["a", "1 2"],
        ["b", "+"],
      ],
    ],
    [
      "a=&b=x=y",
      [
        ["a", ""],
        ["b", "x=y"],
      ],
    ],
    [
      "a=100%&b=%zz%4",
      [
        ["a", "100%"],
        ["b", "%zz%4"],
      ],
    ],
    [
      "a=%e2%82%ac&b=€",
      [
        ["a", "€"],
        ["b", "€"],
      ],
    ],
    ["a=%ff%41%", [["a", "\ufffdA%"]]],
    [
      "&a=1&&b=2&\r\n",
      [
        ["a", "1"],
        ["b", "2"],
      ],
    ],
    ["a=%EF%BB%BFx%0A\n", [["a", "\ufeffx\n"]]],
    ["", []],
  ])("decodes %j", (text, pairs) => {
    expect(decodeForm(text)).toEqual(pairs);
  });

  test.each(["OK", "a=1&b", "<html>"])("does not take %j for one", (text) => {
    expect(decodeForm(text)).toBeUndefined();
  });
});

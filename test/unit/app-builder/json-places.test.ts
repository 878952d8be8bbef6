import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonSyntaxError, parsePlacedJson } from "../../../src/app-builder/json-places.ts";

describe("parsePlacedJson", () => {
  it("reads what JSON.parse reads, to the same value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        expect(parsePlacedJson(text).value).toEqual(JSON.parse(text));
      }),
    );
  });

  it("refuses what JSON.parse refuses", () => {
    const damaged = fc
      .tuple(
        fc.jsonValue({ maxDepth: 3 }),
        fc.nat(),
        fc.constantFrom("", ",", "]", "}", '"', "\\", "0", "-", "e", ":", "\u0001"),
      )
      .map(([value, at, sign]) => {
        const text = JSON.stringify(value);
        const cut = at % (text.length + 1);
        return text.slice(0, cut) + sign + text.slice(cut + 1);
      });
    fc.assert(
      fc.property(damaged, (text) => {
        const expected = outcomeOf(() => JSON.parse(text));
        const found = outcomeOf(() => parsePlacedJson(text).value);
        // A key that stands twice is refused here alone.
        if (found === "refused" && expected !== "refused") {
          expect(() => parsePlacedJson(text)).toThrow("a second time");
        } else expect(found).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['{"a": 1\n "b": 2}', 2, 2, "expected ',' or '}'"],
    ['{"a": [1, 2', 1, 12, "expected ',' or ']', found the end of the file"],
    ['{"a": tru}', 1, 7, "expected a value"],
    ["{\n  a: 1}", 2, 3, 'expected a key in "quotes"'],
    ['{"a": "b\nc"}', 1, 7, "does not end"],
    ['{"a": 1,\n "a": 2}', 2, 2, "a second time"],
    ["{} x", 1, 4, "expected nothing more"],
    ["", 1, 1, "expected a value, found the end of the file"],
    ["[".repeat(1000), 1, 102, "nested too deep"],
  ])("says where %j is wrong", (text, line, column, message) => {
    const error = errorOf(text);
    expect({ ...error.place, message: error.message }).toEqual({
      line,
      column,
      message: expect.stringContaining(message),
    });
  });

  it("knows where each value stands, and of one that is not there, where it would", () => {
    const { placeOf } = parsePlacedJson('{\n  "a": [1,\n    {"b": 2}]}');
    expect(placeOf(["a", 1, "b"])).toEqual({ line: 3, column: 11 });
    expect(placeOf(["a", 7])).toEqual({ line: 2, column: 8 });
    expect(placeOf(["c"])).toEqual({ line: 1, column: 1 });
  });
});

function outcomeOf(parse: () => unknown): unknown {
  try {
    return { value: parse() };
  } catch {
    return "refused";
  }
}

function errorOf(text: string): JsonSyntaxError {
  try {
    parsePlacedJson(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) return error;
    throw error;
  }
  return expect.fail("was accepted");
}

import fc from "fast-check";
import { expect, test } from "vitest";
import { csvLine, parseCsv } from "../../../src/emulator/http/csv.ts";

test("what is written is read", () => {
  // A row of one empty field is an empty line, which stands for nothing.
  const row = fc
    .array(fc.string({ unit: fc.constantFrom("a", ",", '"', "\n", "\r", " ", "ü") }), { minLength: 1 })
    .filter((fields) => fields.length > 1 || fields[0] !== "");
  fc.assert(
    fc.property(fc.array(row), (rows) => {
      expect(parseCsv(rows.map(csvLine).join(""))).toEqual(rows);
    }),
  );
});

test.each([
  ["a,b\r\nc,d", [["a", "b"], ["c", "d"]]], // biome-ignore format: one line a case
  ["a,\n", [["a", ""]]],
  ["a,", [["a", ""]]],
  ["\n\na\n\n", [["a"]]],
  ['"a ""b"", c",d', [['a "b", c', "d"]]],
  ["", []],
] as const)("%j", (text, rows) => {
  expect(parseCsv(text)).toEqual(rows);
});

test.each(['"open', '"a"b', 'x,"a" ,b'])("%j is refused", (text) => {
  expect(() => parseCsv(text)).toThrow("CSV");
});

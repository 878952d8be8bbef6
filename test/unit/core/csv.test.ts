import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCsv } from "../../../src/core/csv.ts";

const quoted = (field: string): string => `"${field.replaceAll('"', '""')}"`;

describe("CSV", () => {
  test("gives back any fields that were written by RFC 4180", () => {
    const rows = fc.array(fc.array(fc.string({ unit: "binary" }), { minLength: 1 }));
    fc.assert(
      fc.property(rows, fc.constantFrom("\n", "\r\n"), (written, lineEnd) => {
        const text = written.map((row) => row.map(quoted).join(",")).join(lineEnd);
        expect(parseCsv(text)).toEqual(written.filter((row) => row.length > 1 || row[0] !== ""));
      }),
    );
  });

  test.each([
    [
      "a,b\r\nc,\r\n",
      [
        ["a", "b"],
        ["c", ""],
      ],
    ],
    [',,"x"\n', [["", "", "x"]]],
    ['say "hi",2', [['say "hi"', "2"]]],
    ["\n\na\n\n", [["a"]]],
    ["a,", [["a", ""]]],
    ["", []],
  ])("reads %j", (text, rows) => {
    expect(parseCsv(text)).toEqual(rows);
  });

  test("copes with a megabyte in one field, its quote closed or not", () => {
    const long = '""x,\n'.repeat(200_000);
    expect(parseCsv(`"${long}"`)).toEqual([[long.replaceAll('""', '"')]]);
    expect(parseCsv(`"${long}`)).toBeUndefined();
  });

  test.each(['"open', '"a"b', 'x,"a" ,y'])("refuses broken quoting: %j", (text) => {
    expect(parseCsv(text)).toBeUndefined();
  });
});

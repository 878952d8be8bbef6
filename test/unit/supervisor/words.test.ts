import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { shellQuote } from "../../../src/supervisor/launcher/spec-file.ts";
import { parseEnvironment } from "../../../src/supervisor/supervisor-conf/environment.ts";
import { splitShellWords } from "../../../src/supervisor/supervisor-conf/shell-words.ts";

test.each([
  ["a b", ["a", "b"]],
  ["  a\tb\n c ", ["a", "b", "c"]],
  ["'a b' \"c d\"", ["a b", "c d"]],
  ["a'b'\"c\"d", ["abcd"]],
  ["'' \"\"", ["", ""]],
  ["a\\ b \\' \\\\", ["a b", "'", "\\"]],
  ['"a\\"b\\\\c\\$d"', ['a"b\\c\\$d']],
  ["'a\\b'", ["a\\b"]],
  ["$HOME ; a|b > c *", ["$HOME", ";", "a|b", ">", "c", "*"]],
  ["", []],
])("%j is split as a POSIX shell would, without running one", (text, words) => {
  expect(splitShellWords(text)).toEqual(words);
});

test.each(["'a", '"a', "a\\", "\"a'", "'a\\'b'"])("%j is refused", (text) => {
  expect(() => splitShellWords(text)).toThrow(SyntaxError);
});

const nasty = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom("'", '"', "\\", "$", "`", " ", "\n", "\t", "!", "*", "=", "%", "-", "é", "\u{1f600}"),
      fc.string({ minLength: 1, maxLength: 1 }),
    ),
  })
  .filter((text) => !text.includes("\0"));

test("what is quoted for the shell comes back as it was, word by word", () => {
  fc.assert(
    fc.property(fc.array(nasty), (words) => {
      expect(splitShellWords(words.map(shellQuote).join(" "))).toEqual(words);
    }),
  );
});

test("a real shell agrees", () => {
  fc.assert(
    fc.property(fc.array(nasty, { minLength: 1 }), (words) => {
      const script = `for word in ${words.map(shellQuote).join(" ")}; do printf '%s\\0' "$word"; done`;
      const output = execFileSync("/bin/sh", ["-c", script], { encoding: "utf8" });
      expect(output.split("\0").slice(0, -1)).toEqual(words.map((word) => word.toWellFormed()));
    }),
    { numRuns: 50 },
  );
});

test.each([
  ["", {}],
  ["A=1", { A: "1" }],
  ['A="val",B=val2', { A: "val", B: "val2" }],
  ["A='x, y' , B=/usr/bin:/bin", { A: "x, y", B: "/usr/bin:/bin" }],
  ["A=1,A=2", { A: "2" }],
  ['A="",B="#no comment"', { A: "", B: "#no comment" }],
  ["A=1,\nB=2,", { A: "1", B: "2" }],
])("environment %j", (text, expected) => {
  expect(parseEnvironment(text)).toEqual(expected);
});

test("quoted environment values come back as they were", () => {
  const value = nasty.map((text) => text.replaceAll('"', "").replace(/^'+|'+$/g, ""));
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[A-Z_]{1,9}$/), value), (variables) => {
      const text = Object.entries(variables)
        .map(([name, content]) => `${name}="${content}"`)
        .join(",");
      expect(parseEnvironment(text)).toEqual({ ...variables });
    }),
  );
});

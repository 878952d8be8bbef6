import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileGlob } from "../../../src/app-builder/glob.ts";

describe("compileGlob", () => {
  it.each([
    ["**", ["a", ".env", "a/b/.c", "a\nb"], []],
    [".", ["a", "a/b"], []],
    ["*", ["a", ".env", "a/b"], []],
    ["*.py", ["main.py", "x.py/inner"], ["main.pyc", "src/main.py", "py"]],
    ["**/*.py", ["main.py", "a/b/main.py"], ["main.pyc"]],
    ["src", ["src", "src/a/b"], ["srcs", "a/src", "Src"]],
    ["./src//", ["src", "src/a"], ["a/src"]],
    ["src/**", ["src/a", "src/a/b"], ["src", "srcs/a"]],
    ["src/**/test", ["src/test", "src/a/b/test", "src/test/x"], ["src/tests", "test"]],
    ["a?c", ["abc", "a.c", "a€c", "a😀c"], ["ac", "a/c", "abbc"]],
    ["[a-c]1", ["a1", "c1/x"], ["d1", "A1"]],
    ["[!a-c]1", ["d1"], ["a1", "/1"]],
    ["[]]", ["]"], ["["]],
    ["[.^]", [".", "^"], ["a"]],
    ["{a,b/{c,d}}.txt", ["a.txt", "b/c.txt", "b/d.txt"], ["c.txt", "b.txt"]],
    ["a\\*b\\{", ["a*b{"], ["axb{"]],
    ["a.b+(c)$", ["a.b+(c)$"], ["axb+(c)$"]],
    ["**.txt", ["a.txt"], ["a/b.txt"]],
  ])("%j", (pattern, matching, others) => {
    const glob = compileGlob(pattern);
    expect(matching.filter((path) => !glob.matches(path))).toEqual([]);
    expect(others.filter((path) => glob.matches(path))).toEqual([]);
  });

  it.each([
    ["", "empty"],
    ["/etc/passwd", "absolute"],
    ["../other", "leads out"],
    ["a/{b,../..}/c", "leads out"],
    ["a[bc", "'[' without ']'"],
    ["a{b,c", "'{' without '}'"],
    ["[z-a]", "wrong way round"],
    ["a\\", "backslash"],
    ["{a,b}".repeat(12), "alternatives"],
    ["a".repeat(1001), "longer"],
  ])("refuses %j", (pattern, reason) => {
    expect(() => compileGlob(pattern)).toThrow(reason);
  });

  it("matches as a plain walk along pattern and path does", () => {
    const name = fc.string({ unit: fc.constantFrom("a", "b", "."), minLength: 1, maxLength: 3 });
    const path = fc.array(
      name.filter((text) => !/^\.+$/.test(text)),
      { minLength: 1, maxLength: 4 },
    );
    const wild = fc.string({ unit: fc.constantFrom("a", "b", ".", "*", "?"), minLength: 1, maxLength: 4 });
    const segment = fc.oneof({ arbitrary: fc.constant("**"), weight: 1 }, { arbitrary: wild, weight: 3 });
    const pattern = fc.array(
      segment.filter((text) => !/^\.+$/.test(text)),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(pattern, path, (segments, names) => {
        const expected = names.some((_, index) => walk(segments, names.slice(0, index + 1)));
        expect(compileGlob(segments.join("/")).matches(names.join("/"))).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it("matches nothing outside of its base", () => {
    expect(compileGlob("src/lib/*.py").base).toEqual(["src", "lib"]);
    expect(compileGlob("{src,src/lib}/a").base).toEqual(["src"]);
    expect(compileGlob("**").base).toEqual([]);
  });
});

/** A second reading of the rules, with no regular expression. */
function walk(pattern: readonly string[], names: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return names.length === 0;
  if (first === "**") {
    const least = rest.length === 0 ? 1 : 0;
    return (
      names.some((_, n) => n >= least && walk(rest, names.slice(n))) ||
      (names.length >= least && walk(rest, []))
    );
  }
  const [name, ...others] = names;
  return name !== undefined && walkName(first, name) && walk(rest, others);
}

function walkName(pattern: string, name: string): boolean {
  if (pattern === "") return name === "";
  if (pattern[0] === "*")
    return walkName(pattern.slice(1), name) || (name !== "" && walkName(pattern, name.slice(1)));
  return (
    name !== "" && (pattern[0] === "?" || pattern[0] === name[0]) && walkName(pattern.slice(1), name.slice(1))
  );
}

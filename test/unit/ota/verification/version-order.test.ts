import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareVersions, isDowngrade } from "../../../../src/ota/verification/version-order.ts";

/** Each older than the next. */
const oldToNew = [
  "alpha",
  "main",
  "0",
  "0.9",
  "1-dev",
  "1-alpha2",
  "1-beta",
  "1-rc1",
  "1-rc2",
  "1-rc10",
  "1",
  "1-hotfix",
  "1-0-6",
  "1-0-10",
  "1-1",
  "1.0.1",
  "1.2.3",
  "1.2.3a",
  "1.2.3b",
  "1.2.3-4",
  "1.2.10",
  "1.10",
  "2",
  "10-rc1",
  "10",
  "10_0ca92e7",
  "126-20050316",
  "126-20050401",
  "126.1-20040101",
  "20050316",
  "99999999999999999999999999999998",
  "99999999999999999999999999999999",
];

const sameMeaning = [
  ["1", "1.0"],
  ["1", "1.0.0"],
  ["1.2", "01.02"],
  ["1-0-6", "1_0-06"],
  ["1.0-RC1", "1-rc1"],
  ["1.0-rc1", "1.0rc-1"],
] as const;

const pieces = [
  "0",
  "00",
  "1",
  "2",
  "10",
  "007",
  ".",
  ".",
  "-",
  "_",
  "+",
  "a",
  "b",
  "rc",
  "RC",
  "beta",
  "ca",
];
const version = fc.oneof(
  fc.constantFrom(...oldToNew),
  fc.array(fc.constantFrom(...pieces), { maxLength: 6 }).map((parts) => parts.join("")),
  fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,20}$/),
);

describe("the order of versions", () => {
  it("puts every pair of known versions as their makers meant them", () => {
    for (const [index, older] of oldToNew.entries()) {
      for (const newer of oldToNew.slice(index + 1)) {
        expect([older, newer, Math.sign(compareVersions(older, newer))]).toEqual([older, newer, -1]);
        expect([newer, older, Math.sign(compareVersions(newer, older))]).toEqual([newer, older, 1]);
      }
    }
  });

  it.each(sameMeaning)("takes %s and %s for the same", (a, b) => {
    expect(compareVersions(a, b)).toBe(0);
    expect(isDowngrade(a, b)).toBe(false);
  });

  it("calls only an older candidate a downgrade", () => {
    expect(isDowngrade("1.2.3", "1.2.2")).toBe(true);
    expect(isDowngrade("1.2.3", "1.2.3")).toBe(false);
    expect(isDowngrade("1.2.3", "1.10")).toBe(false);
    expect(isDowngrade("1.2.3", "1.2.3-rc1")).toBe(true);
  });

  it("holds for any two versions in both directions", () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        // Adding 0 turns -0 into 0.
        expect(Math.sign(compareVersions(a, b)) + 0).toBe(-Math.sign(compareVersions(b, a)) + 0);
        expect(compareVersions(a, a)).toBe(0);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is transitive", () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        const [first = "", second = "", third = ""] = [a, b, c].sort(compareVersions);
        expect(compareVersions(first, second)).toBeLessThanOrEqual(0);
        expect(compareVersions(second, third)).toBeLessThanOrEqual(0);
        expect(compareVersions(first, third)).toBeLessThanOrEqual(0);
        if (compareVersions(first, third) === 0) expect(compareVersions(first, second)).toBe(0);
      }),
      { numRuns: 3_000 },
    );
  });

  it("takes two versions for the same only when they differ in spelling alone", () => {
    // An independent reading: dotted numbers by value without trailing zeros, then runs of digits and letters.
    const meaning = (text: string): string => {
      const head = /^\d+(\.\d+)*/.exec(text)?.[0] ?? "";
      const numbers = head === "" ? "none" : head.split(".").map(BigInt).join(".");
      const tail = (text.slice(head.length).match(/\d+|[a-z]+/gi) ?? []).map((run) =>
        /\d/.test(run) ? String(BigInt(run)) : run.toLowerCase(),
      );
      return JSON.stringify([numbers.replace(/(\.0)+$/, ""), tail]);
    };
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect(compareVersions(a, b) === 0).toBe(meaning(a) === meaning(b));
      }),
      { numRuns: 3_000 },
    );
  });
});

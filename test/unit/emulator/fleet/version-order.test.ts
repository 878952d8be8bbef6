import fc from "fast-check";
import { expect, test } from "vitest";
import { compareVersions } from "../../../../src/emulator/fleet/version-order.ts";

test("versions are ordered as their makers count", () => {
  const ordered = ["0.9", "1.0-alpha", "1.0-rc1", "1.0", "1.0.1", "1.2", "1.10", "2", "2026.11.27"];
  const shuffled = ordered.toReversed();
  expect(shuffled.sort(compareVersions)).toEqual(ordered);
  expect(compareVersions("1.0", "1.0.0")).toBe(0);
  expect(compareVersions("v1.2", "v1.2")).toBe(0);
});

test("the order is one: antisymmetric and transitive", () => {
  const version = fc.stringMatching(/^[0-9a-c.-]{0,8}$/);
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      expect(compareVersions(a, b)).toBe(-compareVersions(b, a) + 0);
      if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) {
        expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
      }
    }),
  );
});

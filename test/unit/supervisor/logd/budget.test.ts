import fc from "fast-check";
import { expect, test } from "vitest";
import { backupsToDrop, type LogUsage, rotationLimit } from "../../../../src/supervisor/logd/budget.ts";

const size = fc.integer({ min: 0, max: 1000 });
const usages = fc
  .array(fc.record({ current: size, backups: fc.array(size, { maxLength: 6 }) }), {
    minLength: 1,
    maxLength: 6,
  })
  .map((list) => new Map(list.map((usage, index) => [index, usage])));

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function without(all: ReadonlyMap<number, LogUsage>, dropped: readonly number[]): Map<number, LogUsage> {
  return new Map(
    [...all].map(([key, { current, backups }]) => {
      const count = dropped.filter((other) => other === key).length;
      return [key, { current, backups: backups.slice(0, backups.length - count) }];
    }),
  );
}

const used = ({ current, backups }: LogUsage): number => current + sum(backups);

test("backups are dropped until all fits, and not one more", () => {
  fc.assert(
    fc.property(usages, fc.integer({ min: 0, max: 8000 }), (all, budget) => {
      const dropped = backupsToDrop(all, budget);
      const after = without(all, dropped);
      const fits = sum([...after.values()].map(used)) <= budget;
      expect(fits || [...after.values()].every(({ backups }) => backups.length === 0)).toBe(true);
      const oneLess = without(all, dropped.slice(0, -1));
      if (dropped.length > 0) expect(sum([...oneLess.values()].map(used))).toBeGreaterThan(budget);
    }),
  );
});

test("a log that takes no more than its share loses nothing, if the others' current files fit into theirs", () => {
  fc.assert(
    fc.property(usages, fc.integer({ min: 1, max: 8000 }), (all, budget) => {
      const share = budget / all.size;
      fc.pre([...all.values()].every(({ current }) => current <= share));
      for (const key of backupsToDrop(all, budget)) {
        expect(used(all.get(key) ?? { current: 0, backups: [] })).toBeGreaterThan(share);
      }
    }),
  );
});

test("a log is rotated at half its share at the latest, but not below 64 KiB", () => {
  expect(rotationLimit(200 * 1024, 50 << 20, 10)).toBe(200 * 1024);
  expect(rotationLimit(0, 50 << 20, 2)).toBe(13_107_200);
  expect(rotationLimit(50 << 20, 50 << 20, 1)).toBe(25 << 20);
  expect(rotationLimit(0, 1 << 20, 100)).toBe(64 * 1024);
});

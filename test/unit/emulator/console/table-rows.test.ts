import fc from "fast-check";
import { expect, test } from "vitest";
import { RowSlots } from "../../../../src/emulator/console/web/parts/row-slots.ts";
import { SortedRows } from "../../../../src/emulator/console/web/parts/sorted-rows.ts";

interface Row {
  readonly name: string;
  readonly value: number | null;
}

const name = fc.constantFrom(..."abcdefghij");
const row = fc.record({ name, value: fc.option(fc.integer({ min: 0, max: 5 })) });
const rows = fc.uniqueArray(row, { selector: (one) => one.name });

test("whatever comes, changes and goes: the rows are those, in order, what has no value last", () => {
  fc.assert(
    fc.property(fc.array(rows), fc.boolean(), (states, isDescending) => {
      const sorted = new SortedRows<Row>(
        (one) => one.name,
        (one) => one.value,
        isDescending,
      );
      for (const state of states) {
        const shown = sorted.of(state);
        expect(new Set(shown)).toEqual(new Set(state));
        const values = shown.map(({ value }) => value);
        const known = values.filter((value) => value !== null);
        expect(known).toEqual(known.toSorted((a, b) => (isDescending ? b - a : a - b)));
        expect(values.slice(known.length).every((value) => value === null)).toBe(true);
        expect(shown).toHaveLength(state.length);
      }
    }),
  );
});

test("a row keeps its element while it is in view, no two have one, and those that left are used again", () => {
  fc.assert(
    fc.property(fc.array(fc.uniqueArray(name)), (views) => {
      const slots = new RowSlots();
      let before: ReadonlyMap<string, number> = new Map();
      let most = 0;
      for (const view of views) {
        most = Math.max(most, view.length);
        const now = slots.assign(view);
        expect([...now.keys()].sort()).toEqual(view.toSorted());
        expect(new Set(now.values()).size).toBe(view.length);
        expect(Math.max(-1, ...now.values())).toBeLessThan(most);
        for (const key of view) if (before.has(key)) expect(now.get(key)).toBe(before.get(key));
        before = now;
      }
    }),
  );
});

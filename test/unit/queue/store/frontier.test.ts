import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Frontier } from "../../../../src/queue/store/frontier.ts";

/** The seconds that writes of one alias get one after another, as the store allots them: the next free one. */
function allotted(taken: Set<number>, own: number, from = own): number | undefined {
  for (let second = from; second <= own + 60; second++) {
    if (taken.has(second)) continue;
    taken.add(second);
    return second;
  }
  return undefined;
}

describe("a live write that goes ahead of a backlog", () => {
  it("keeps behind all earlier writes of its alias, however dense they are, and takes no second from them", () => {
    const steps = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(steps, fc.nat(300), (gaps, held) => {
        let own = 1_000;
        const owns = gaps.map((gap) => {
          own += gap === 3 ? 40 : gap % 2;
          return own;
        });
        const [waiting, live] = [owns.slice(0, held), owns.slice(held)];
        const frontier = new Frontier();
        for (const second of waiting) frontier.note(1, "a", second);
        const taken = new Set<number>();
        const ahead = live.map((second) => allotted(taken, second, frontier.after(1, "a", second)));
        const behind = waiting.map((second) => allotted(taken, second));
        const got = [...behind, ...ahead].filter((second) => second !== undefined);
        expect(got).toEqual([...got].sort((a, b) => a - b));
        // As many become dead letters as if each had waited for its turn.
        const inTurn = new Set<number>();
        expect(got).toEqual(
          owns.map((second) => allotted(inTurn, second)).filter((one) => one !== undefined),
        );
      }),
    );
  });

  it("is not held up by other aliases, other devices, or what lies a minute back", () => {
    const frontier = new Frontier();
    for (let count = 0; count < 10; count++) frontier.note(1, "a", 100);
    expect(frontier.after(1, "b", 100)).toBe(100);
    expect(frontier.after(2, "a", 100)).toBe(100);
    expect(frontier.after(1, "a", 100)).toBe(110);
    expect(frontier.after(1, "a", 111)).toBe(111);
  });

  it("begins anew after a clock that was set back", () => {
    const frontier = new Frontier();
    frontier.note(1, "a", 10_000);
    expect(frontier.after(1, "a", 5_000)).toBe(5_000);
    frontier.note(1, "a", 5_000);
    frontier.note(1, "a", 5_000);
    expect(frontier.after(1, "a", 5_000)).toBe(5_002);
  });

  it("remembers the aliases of the last minutes alone, and answers as if it remembered all", () => {
    const step = fc.record({
      alias: fc.nat(40).map(String),
      forward: fc.nat(90),
      back: fc.nat(60),
      isLive: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 50, maxLength: 300 }), (steps) => {
        const bounded = new Frontier(4);
        const unbounded = new Frontier(Number.POSITIVE_INFINITY);
        let newest = 100_000;
        for (const { alias, forward, back, isLive } of steps) {
          newest += forward;
          // A clock that is put right step by step.
          const own = newest - back;
          if (isLive) expect(bounded.after(1, alias, own)).toBe(unbounded.after(1, alias, own));
          else for (const frontier of [bounded, unbounded]) frontier.note(1, alias, own);
        }
      }),
      { numRuns: 200 },
    );
    const long = new Frontier(10);
    for (let second = 0; second < 100_000; second++) long.note(second % 3, `alias-${second}`, second);
    expect(long.size).toBeLessThanOrEqual(2 * 2 * 61);
  });
});

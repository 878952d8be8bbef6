import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Budget, holdOf, isOfBudget, levelOf, spend } from "../../../src/telemetry/budget/budget.ts";
import { parseBudgetState } from "../../../src/telemetry/budget/budget-state.ts";
import { usageReport } from "../../../src/telemetry/index.ts";
import { accumulateTraffic } from "../../../src/telemetry/usage/accumulate.ts";
import { noUsage } from "../../../src/telemetry/usage/usage-state.ts";

const budget: Budget = {
  interfaces: "ppp*",
  dailyBytes: 1_000,
  monthlyBytes: 10_000,
  warningPercent: 80,
  resetDay: 15,
  action: "hold-backlog",
};
const at = (text: string): number => Date.parse(`${text}Z`);

describe("a traffic budget", () => {
  it("counts by days and by months that begin on the reset day, in UTC", () => {
    let spent = spend(undefined, budget, { bytes: 10, nowMs: at("2026-11-14T23:59:59"), isTimeKnown: true });
    expect(spent.month.startMs).toBe(at("2026-10-15T00:00:00"));
    spent = spend(spent, budget, { bytes: 5, nowMs: at("2026-11-15T00:00:00"), isTimeKnown: true });
    expect(spent).toEqual({
      day: { startMs: at("2026-11-15T00:00:00"), bytes: 5 },
      month: { startMs: at("2026-11-15T00:00:00"), bytes: 5 },
    });
    spent = spend(spent, budget, { bytes: 1, nowMs: at("2026-11-16T08:00:00"), isTimeKnown: true });
    expect([spent.day.bytes, spent.month.bytes]).toEqual([1, 6]);
    spent = spend(spent, budget, { bytes: 1, nowMs: at("2027-01-14T12:00:00"), isTimeKnown: true });
    expect(spent.month).toEqual({ startMs: at("2026-12-15T00:00:00"), bytes: 1 });
  });

  it("is not forgotten for a clock that is wrong: not yet set, or set back", () => {
    const step = fc.record({
      bytes: fc.nat(1_000),
      nowMs: fc.oneof(
        fc.nat(1_000_000_000),
        fc.integer({ min: at("2026-02-01T00:00:00"), max: at("2026-11-01T00:00:00") }),
      ),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const nowMs = at("2026-11-01T12:00:00");
        let spent = spend(undefined, budget, { bytes: 7, nowMs, isTimeKnown: true });
        let sum = 7;
        let earliest = nowMs;
        for (const one of steps) {
          // Set back ever further, or not set at all.
          const back = one.nowMs > 1_000_000_000 ? Math.min(earliest, one.nowMs) : one.nowMs;
          if (back > 1_000_000_000) earliest = back;
          spent = spend(parseBudgetState({ a: spent }).a, budget, {
            bytes: one.bytes,
            nowMs: back,
            isTimeKnown: back > 1_000_000_000,
          });
          sum += one.bytes;
        }
        expect(spent.day.bytes).toBe(sum);
        expect(spent.month.bytes).toBe(sum);
      }),
    );
  });

  it("takes what flowed while nobody knew the time into the period that begins when it is known", () => {
    let spent = spend(undefined, budget, { bytes: 3, nowMs: 5_000, isTimeKnown: false });
    spent = spend(spent, budget, { bytes: 1, nowMs: at("2026-11-16T23:00:00"), isTimeKnown: true });
    expect(spent.day).toEqual({ startMs: at("2026-11-16T00:00:00"), bytes: 4 });
    spent = spend(parseBudgetState({ a: spent }).a, budget, { bytes: 10, nowMs: 0, isTimeKnown: false });
    expect(spent.day.bytes).toBe(14);
    spent = spend(parseBudgetState({ a: spent }).a, budget, {
      bytes: 2,
      nowMs: at("2026-11-17T01:00:00"),
      isTimeKnown: true,
    });
    expect(spent.day).toEqual({ startMs: at("2026-11-17T00:00:00"), bytes: 12 });
    expect(spent.month.bytes).toBe(16);
  });

  it.each([
    [799, 0, "ok", "nothing"],
    [800, 0, "warning", "nothing"],
    [1_000, 0, "exceeded", "backlog"],
    [0, 9_999, "warning", "nothing"],
    [0, 10_000, "exceeded", "backlog"],
  ] as const)("with %i bytes of a day and %i of a month: %s, holds %s", (day, month, level, hold) => {
    const spent = { day: { startMs: 0, bytes: day }, month: { startMs: 0, bytes: month } };
    expect(levelOf(budget, spent)).toBe(level);
    expect(holdOf(budget, level)).toBe(hold);
    expect(holdOf({ action: "report" }, level)).toBe("nothing");
  });

  it("is one for all interfaces that its name's beginning means", () => {
    expect(["ppp0", "ppp12", "wwan0"].map((name) => isOfBudget(budget, name))).toEqual([true, true, false]);
    expect(isOfBudget({ interfaces: "ppp1" }, "ppp12")).toBe(false);
  });

  it("stands in usage_report as scalars", () => {
    const state = accumulateTraffic(noUsage, {
      interface: "ppp0",
      consumer: "gwe:read",
      rx: 1,
      tx: 1,
      bootId: "a",
      sinceBootMs: 0,
      nowMs: 0,
      isTimeKnown: true,
    });
    const spent = { day: { startMs: 0, bytes: 1_200 }, month: { startMs: 0, bytes: 3_000 } };
    const report = JSON.parse(usageReport(state, () => [{ budget, spent, level: "exceeded" }]));
    expect(report.ppp0).toMatchObject({
      budget: "exceeded",
      held: "backlog",
      day_bytes: 1_200,
      day_limit: 1_000,
      month_bytes: 3_000,
      month_limit: 10_000,
    });
  });

  it("begins anew where what was kept is damaged", () => {
    expect(parseBudgetState({ ppp0: { day: 1 } })).toEqual({});
  });
});

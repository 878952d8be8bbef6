import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type LoopFacts, planNext, writeSpacingMs } from "../../../src/engine/planner.ts";

const idle: LoopFacts = {
  nowMs: 100_000,
  hasCredentials: true,
  activationDueMs: 0,
  checkInDueMs: 160_000,
  hurry: false,
  notBeforeMs: 0,
  lastCheckInMs: 99_900,
  commandWaiting: false,
};

const anyFacts = fc.record<LoopFacts>({
  nowMs: fc.nat(1_000_000),
  hasCredentials: fc.boolean(),
  activationDueMs: fc.nat(1_000_000),
  checkInDueMs: fc.nat(1_000_000),
  hurry: fc.boolean(),
  notBeforeMs: fc.nat(1_000_000),
  lastCheckInMs: fc.option(fc.nat(1_000_000), { nil: undefined }),
  commandWaiting: fc.boolean(),
});

describe("planning the check-in loop", () => {
  it("waits for the interval while there is nothing to tell", () => {
    expect(planNext(idle)).toEqual({ kind: "wait", forMs: 60_000 });
  });

  it("activates before anything else", () => {
    expect(planNext({ ...idle, hasCredentials: false, hurry: true, commandWaiting: true })).toEqual({
      kind: "activate",
    });
  });

  it("tells a result at once, yet a second after the last check-in", () => {
    expect(planNext({ ...idle, hurry: true })).toEqual({ kind: "wait", forMs: 900 });
    expect(planNext({ ...idle, hurry: true, lastCheckInMs: 99_000 })).toEqual({ kind: "check-in" });
  });

  it("takes a command that a long poll saw without waiting for that second", () => {
    expect(planNext({ ...idle, commandWaiting: true })).toEqual({ kind: "take-command" });
  });

  it("never sends before a backoff has ended, nor two check-ins within a second", () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const step = planNext(facts);
        if (step.kind === "check-in" || step.kind === "take-command") {
          expect(facts.hasCredentials).toBe(true);
          expect(facts.notBeforeMs).toBeLessThanOrEqual(facts.nowMs);
        }
        if (step.kind === "check-in" && facts.lastCheckInMs !== undefined) {
          expect(facts.nowMs - facts.lastCheckInMs).toBeGreaterThanOrEqual(writeSpacingMs);
        }
      }),
    );
  });

  it("after the wait it names, there is something to do", () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const step = planNext(facts);
        if (step.kind !== "wait") return;
        expect(step.forMs).toBeGreaterThan(0);
        expect(planNext({ ...facts, nowMs: facts.nowMs + step.forMs }).kind).not.toBe("wait");
      }),
    );
  });
});

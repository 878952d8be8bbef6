import fc from "fast-check";
import { expect, test } from "vitest";
import {
  afterProbe,
  type HealthMemory,
  holdCs,
  isFailing,
  wellSoFar,
} from "../../../src/supervisor/health/policy.ts";

const failed = { ok: false, detail: "no" } as const;

/** Answers a row of probes, one every `everyCs`; gives the times of restarts. */
function restartTimes(answers: readonly boolean[], maxFailures: number, everyCs: number): number[] {
  let memory: HealthMemory = wellSoFar;
  return answers.flatMap((ok, index) => {
    const nowCs = index * everyCs;
    const next = afterProbe(memory, ok ? { ok } : failed, maxFailures, nowCs);
    memory = next.memory;
    return next.action.kind === "restart" ? [nowCs] : [];
  });
}

test("it takes so many failures in a row", () => {
  expect(restartTimes([false, false, true, false, false], 3, 100)).toEqual([]);
  expect(restartTimes([false, false, true, false, false, false], 3, 100)).toEqual([500]);
});

test("an app that never gets well is restarted after 1, 2, 4, … minutes, and at most once an hour", () => {
  const times = restartTimes(
    Array.from({ length: 40_000 }, () => false),
    1,
    1_000,
  );
  const minutes = times.slice(1).map((time, index) => (time - (times[index] ?? 0)) / 6_000);
  expect(minutes.slice(0, 8)).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  expect(holdCs(1_000)).toBe(360_000);
});

test("well for long enough, it is as if it had never failed", () => {
  const { memory } = afterProbe(wellSoFar, failed, 1, 0);
  expect(memory.restarts).toBe(1);
  expect(afterProbe(memory, { ok: true }, 1, 59_999).memory.restarts).toBe(1);
  expect(afterProbe(memory, { ok: true }, 1, 60_000).memory).toEqual(wellSoFar);
});

test("it is failing from the last of the failures on, over its restart, until it answers", () => {
  const one = afterProbe(wellSoFar, failed, 2, 0);
  expect(isFailing(one.memory, 2)).toBe(false);
  const two = afterProbe(one.memory, failed, 2, 100);
  expect(two.action.kind).toBe("restart");
  expect(isFailing(two.memory, 2)).toBe(true);
  const well = afterProbe(two.memory, { ok: true }, 2, 200);
  expect(well.action.kind).toBe("recovered");
  expect(isFailing(well.memory, 2)).toBe(false);
});

test("whatever the answers, restarts are never closer than the hold of the one before", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ ok: fc.boolean(), afterCs: fc.integer({ min: 0, max: 100_000 }) }), {
        maxLength: 200,
      }),
      fc.integer({ min: 1, max: 5 }),
      (probes, maxFailures) => {
        let memory: HealthMemory = wellSoFar;
        let nowCs = 0;
        for (const { ok, afterCs } of probes) {
          nowCs += afterCs;
          const before = memory;
          const next = afterProbe(memory, ok ? { ok } : failed, maxFailures, nowCs);
          memory = next.memory;
          if (next.action.kind !== "restart" || before.restartedCs === undefined) continue;
          expect(nowCs - before.restartedCs).toBeGreaterThanOrEqual(holdCs(before.restarts));
        }
      },
    ),
  );
});

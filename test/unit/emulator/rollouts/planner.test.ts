import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide } from "../../../../src/emulator/rollouts/planner.ts";
import type { Rollout, WaveTally } from "../../../../src/emulator/rollouts/rollout.ts";
import type { TargetState } from "../../../../src/emulator/rollouts/states.ts";
import { waveSizes } from "../../../../src/emulator/rollouts/waves.ts";

const base: Rollout = {
  id: "rollout-1",
  ownerId: 1,
  createdAt: 0,
  name: "meter",
  filter: "",
  command: { install: [{ name: "meter.v1.tar.gz" }] },
  successPercent: 90,
  maxFailurePercent: 10,
  soakS: 60,
  absentAfterS: 3600,
  resultWithinS: 600,
  state: "running",
  reason: "",
  wave: 0,
  soakUntil: null,
  waves: [],
};

function wave(counts: WaveTally["counts"], more: Partial<WaveTally> = {}): WaveTally {
  const size = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return { size, counts, excused: 0, absent: 0, ...more };
}

const next = wave({ pending: 90 });

describe("a wave", () => {
  test("is waited for until its share has succeeded", () => {
    const waves = [wave({ succeeded: 8, taken: 2 }), next];
    expect(decide({ ...base, waves }, 100)).toEqual({ kind: "none" });
  });

  test("soaks once its share has succeeded, though some of it is still under way", () => {
    const waves = [wave({ succeeded: 9, taken: 1 }), next];
    expect(decide({ ...base, waves }, 100)).toEqual({ kind: "soak", until: 160 });
    expect(decide({ ...base, waves, soakUntil: 160 }, 159)).toEqual({ kind: "none" });
    expect(decide({ ...base, waves, soakUntil: 160 }, 160)).toEqual({ kind: "begin-wave", wave: 1 });
  });

  test("is stopped in its soak by a failure too many", () => {
    const waves = [wave({ succeeded: 8, failed: 1, silent: 1 }), next];
    expect(decide({ ...base, waves, soakUntil: 160 }, 120)).toMatchObject({
      kind: "stop",
      reason: "2 of 10 gateways of wave 1 failed: more than 10 %",
    });
  });

  test("is not held up by absent gateways, unless all of it is absent", () => {
    expect(
      decide({ ...base, waves: [wave({ succeeded: 5, waiting: 5 }, { absent: 5 }), next] }, 0),
    ).toMatchObject({
      kind: "soak",
    });
    expect(decide({ ...base, waves: [wave({ waiting: 5 }, { absent: 5 }), next] }, 0)).toEqual({
      kind: "none",
    });
  });

  test("of which nobody is left passes", () => {
    expect(decide({ ...base, waves: [wave({ gone: 2, replaced: 1 }), next] }, 0)).toMatchObject({
      kind: "soak",
    });
  });
});

test("a late failure in an earlier wave stops the roll-out too", () => {
  const waves = [wave({ succeeded: 8, failed: 2 }), wave({ succeeded: 90 })];
  expect(decide({ ...base, wave: 1, waves }, 0)).toMatchObject({ kind: "stop" });
});

test("a share out of reach stops the roll-out, be the limit of failures ever so high", () => {
  const waves = [wave({ succeeded: 1, failed: 2, taken: 7 }), next];
  expect(decide({ ...base, maxFailurePercent: 100, waves }, 0)).toMatchObject({
    kind: "stop",
    reason: "2 of 10 gateways of wave 1 failed: it can no longer reach 90 % success",
  });
});

test("what an operator has passed over counts no more", () => {
  const waves = [wave({ succeeded: 5, failed: 5 }, { excused: 5 }), next];
  expect(decide({ ...base, waves }, 0)).toMatchObject({ kind: "soak" });
});

test("it is complete when nothing is under way but at absent gateways", () => {
  const last = { ...base, soakUntil: 10 };
  expect(decide({ ...last, waves: [wave({ succeeded: 9, taken: 1 })] }, 10)).toEqual({ kind: "none" });
  expect(decide({ ...last, waves: [wave({ succeeded: 9, waiting: 1 }, { absent: 1 })] }, 10)).toEqual({
    kind: "complete",
  });
});

test("it is rolled back when nothing is left to take back", () => {
  const rollout = { ...base, state: "rolling-back" as const };
  expect(decide({ ...rollout, waves: [wave({ undone: 9, "undo-taken": 1 })] }, 0)).toEqual({ kind: "none" });
  expect(decide({ ...rollout, waves: [wave({ undone: 9, "undo-failed": 1, failed: 4 })] }, 0)).toEqual({
    kind: "rolled-back",
  });
});

test.each(["paused", "stopped", "aborted", "completed", "rolled-back"] as const)(
  "nothing is decided about one that is %s",
  (state) => {
    expect(decide({ ...base, state, waves: [wave({ failed: 10 })] }, 0)).toEqual({ kind: "none" });
  },
);

/** A fleet in memory: each gateway ends as it is fated to, in some order. */
describe("whatever a fleet does", () => {
  const ends = ["succeeded", "failed", "rolled-back", "silent", "replaced", "gone"] as const;
  const fleets = fc.record({
    fates: fc.array(
      fc.oneof({ weight: 8, arbitrary: fc.constant("succeeded" as const) }, fc.constantFrom(...ends)),
      {
        minLength: 1,
        maxLength: 60,
      },
    ),
    waves: fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 }),
    successPercent: fc.integer({ min: 0, max: 100 }),
    maxFailurePercent: fc.integer({ min: 0, max: 100 }),
    seed: fc.integer(),
  });

  test("a wave begins only after the one before has its share, and a roll-out comes to an end", () => {
    fc.assert(
      fc.property(fleets, ({ fates, waves, successPercent, maxFailurePercent, seed }) => {
        const sizes = waveSizes(
          [...waves, 100].map((percent) => ({ percent })),
          fates.length,
        );
        const waveOf = sizes.flatMap((size, index) => new Array<number>(size).fill(index));
        const states: TargetState[] = fates.map(() => "pending");
        let rollout: Rollout = { ...base, successPercent, maxFailurePercent };
        let random = seed >>> 0;
        let now = 0;
        const tallies = () =>
          sizes.map((size, index): WaveTally => {
            const counts: Partial<Record<TargetState, number>> = {};
            for (const [place, state] of states.entries()) {
              if (waveOf[place] === index) counts[state] = (counts[state] ?? 0) + 1;
            }
            return { size, counts, excused: 0, absent: 0 };
          });
        for (let step = 0; step < 1_000 && rollout.state === "running"; step++) {
          now += 10;
          const open = states.flatMap((state, place) =>
            (waveOf[place] ?? 0) <= rollout.wave && state === "pending" ? [place] : [],
          );
          random = (random * 1_664_525 + 1_013_904_223) >>> 0;
          const place = open[random % Math.max(1, open.length)];
          if (place !== undefined) states[place] = fates[place] ?? "succeeded";
          rollout = { ...rollout, waves: tallies() };
          const decision = decide(rollout, now);
          if (decision.kind === "begin-wave") {
            expect(decision.wave).toBe(rollout.wave + 1);
            const { counts, size } = rollout.waves[rollout.wave] ?? wave({});
            const counted = size - (counts.replaced ?? 0) - (counts.gone ?? 0);
            expect((counts.succeeded ?? 0) * 100).toBeGreaterThanOrEqual(successPercent * counted);
            const failures = (counts.failed ?? 0) + (counts["rolled-back"] ?? 0) + (counts.silent ?? 0);
            expect(failures * 100).toBeLessThanOrEqual(maxFailurePercent * size);
            rollout = { ...rollout, wave: decision.wave, soakUntil: null };
          } else if (decision.kind === "soak") rollout = { ...rollout, soakUntil: decision.until };
          else if (decision.kind === "stop") rollout = { ...rollout, state: "stopped" };
          else if (decision.kind === "complete") rollout = { ...rollout, state: "completed" };
          // Nobody beyond the wave that has begun was ever touched.
          for (const [index, tally] of tallies().entries()) {
            if (index > rollout.wave) expect(tally.counts).toEqual({ pending: tally.size });
          }
        }
        expect(["stopped", "completed"]).toContain(rollout.state);
        if (rollout.state === "completed") expect(states).not.toContain("pending");
      }),
      { numRuns: 300 },
    );
  });
});

import { expect, it } from "vitest";
import { type FaultKind, runFailPoints } from "../../support/faults/fail-points.ts";
import { scenarios } from "../../support/faults/scenarios.ts";

/** A few of each; all of them: `npm run test:failpoints`. */
const shares: readonly (readonly [FaultKind, string, number, number])[] = [
  ["kill", "update", 60, 90],
  ["half", "removal", 17, 68],
  ["EIO", "unhealthy update", 70, 110],
];

it.each(shares)("%s at calls of the scenario %s: it ends as it should", async (kind, name, first, stride) => {
  const scenario = scenarios.find((candidate) => candidate.name === name);
  if (scenario === undefined) throw new TypeError(name);
  const points = await runFailPoints({ scenario, kind, first, stride });
  expect(points.length).toBeGreaterThan(0);
  expect(points.filter(({ verdict }) => "violation" in verdict)).toEqual([]);
});

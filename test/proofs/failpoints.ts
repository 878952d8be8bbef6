/**
 * `npm run test:failpoints [-- --kind KIND --scenario TEXT --stride N --first N --span N]`: a fault at every call by which
 * a job changes something on disk, of the engine and of its worker, and by which bin/trial.sh does. Prints each fail point with its outcome. What it
 * proves, and how: docs/proofs.md.
 */
import { parseArgs } from "node:util";
import { type FailPoint, type FaultKind, runFailPoints } from "../support/faults/fail-points.ts";
import { printPoints, summarise } from "../support/faults/print-points.ts";
import { scenarios } from "../support/faults/scenarios.ts";
import { runTrialFailPoints } from "../support/faults/trial-fail-points.ts";

const { values } = parseArgs({
  options: {
    kind: { type: "string", multiple: true, default: ["kill", "half"] },
    scenario: { type: "string", default: "" },
    stride: { type: "string", default: "1" },
    first: { type: "string", default: "1" },
    span: { type: "string", default: "1" },
    /** Only the summary. */
    quiet: { type: "boolean", default: false },
  },
});

const startedMs = performance.now();
const all: FailPoint[] = [];
for (const kind of values.kind as FaultKind[]) {
  for (const scenario of scenarios.filter(({ name }) => name.includes(values.scenario))) {
    const [stride, first, span] = [values.stride, values.first, values.span].map(Number);
    const points = await runFailPoints({
      scenario,
      kind,
      stride: stride ?? 1,
      first: first ?? 1,
      span: span ?? 1,
    });
    all.push(...points);
    printPoints(`${kind}, ${scenario.name}`, points, values.quiet);
  }
  if (!"trial".includes(values.scenario)) continue;
  const points = runTrialFailPoints(kind);
  if (points.length === 0) continue;
  all.push(...points);
  printPoints(`${kind}, starts of an engine on trial`, points, values.quiet);
}

process.exitCode = summarise(all, startedMs);

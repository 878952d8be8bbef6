/**
 * `npm run test:failpoints [-- --kind KIND --scenario TEXT --stride N --first N --span N]`: a fault at every call by which
 * a job changes something on disk, of the engine and of its worker. Prints each fail point with its outcome. What it
 * proves, and how: docs/proofs.md.
 */
import { parseArgs } from "node:util";
import { type FailPoint, type FaultKind, runFailPoints } from "../support/faults/fail-points.ts";
import { scenarios } from "../support/faults/scenarios.ts";

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
    const points = await runFailPoints({ scenario, kind, stride: stride ?? 1, first: first ?? 1, span: span ?? 1 });
    all.push(...points);
    print(`${kind}, ${scenario.name}`, points);
  }
}

const violations = all.filter(({ verdict }) => "violation" in verdict);
const names = new Set(all.map(({ name }) => name));
const seconds = Math.round((performance.now() - startedMs) / 1000);
console.log(
  `\n${all.length} fail points, ${names.size} of different names, in ${seconds} s: ${violations.length} violations`,
);
process.exitCode = violations.length === 0 && all.length > 0 ? 0 : 1;

/** One line for each name and outcome, in the order in which they are met. */
function print(heading: string, points: readonly FailPoint[]): void {
  console.log(`\n== ${heading}: ${points.length} fail points`);
  const lines = new Map<string, number[]>();
  for (const { n, name, verdict } of points) {
    const text = "violation" in verdict ? `VIOLATION ${verdict.violation}` : verdict.outcome;
    if (values.quiet && !("violation" in verdict)) continue;
    const line = `${name.padEnd(76)} ${text}`;
    lines.set(line, [...(lines.get(line) ?? []), n]);
  }
  for (const [line, numbers] of lines) console.log(`${`${numbers.length} x`.padStart(5)} ${line}`);
}

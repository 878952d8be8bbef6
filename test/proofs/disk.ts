/**
 * `npm run test:disk [-- --kind full|read-only|dead --scenario TEXT --stride N --first N]`: on a small ext4 of its own, at
 * every call by which a job changes the disk, that disk becomes full, read-only, or gives nothing but EIO. Takes root.
 */
import { parseArgs } from "node:util";
import type { FailPoint } from "../support/faults/fail-points.ts";
import { printPoints, summarise } from "../support/faults/print-points.ts";
import { scenarios } from "../support/faults/scenarios.ts";
import { runSickDisk, type Sickness } from "../support/faults/sick-disk.ts";

const { values } = parseArgs({
  options: {
    kind: { type: "string", multiple: true, default: ["full", "read-only", "dead"] },
    scenario: { type: "string", default: "" },
    stride: { type: "string", default: "1" },
    first: { type: "string", default: "1" },
    quiet: { type: "boolean", default: false },
  },
});
const startedMs = performance.now();
const all: FailPoint[] = [];
for (const sickness of values.kind as Sickness[]) {
  for (const scenario of scenarios.filter(({ name }) => name.includes(values.scenario))) {
    const plan = { scenario, sickness, stride: Number(values.stride), first: Number(values.first) };
    const points = await runSickDisk(plan);
    if (points === undefined) {
      console.log("skipped: no file system can be mounted here");
      process.exit(0);
    }
    printPoints(`disk ${sickness}, ${scenario.name}`, points, values.quiet);
    all.push(...points);
  }
}
process.exitCode = summarise(all, startedMs);

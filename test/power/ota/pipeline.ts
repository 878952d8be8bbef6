import { join } from "node:path";
import { OtaHarness, quickProbation } from "../../support/ota-harness.ts";
import { packageName, packageOf } from "./packages.ts";

/** The update pipeline on a disk, with the packages of these commands to be had from Murano. */
export function openPipeline(directory: string, first: number, last: number): OtaHarness {
  const harness = new OtaHarness(
    { limits: { ...quickProbation, clearingGraceMs: 0 } },
    join(directory, "gateway"),
  );
  for (let number = first; number <= last; number += 1) {
    harness.content.files.set(packageName(number), packageOf(number));
  }
  return harness;
}

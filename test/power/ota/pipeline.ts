import { join } from "node:path";
import { OtaHarness, quickProbation } from "../../support/ota-harness.ts";
import { packageName, packageOf } from "./packages.ts";

/** The update pipeline on a disk, with every package of its commands to be had from Murano. */
export function openPipeline(directory: string, commands: number): OtaHarness {
  const harness = new OtaHarness(
    { limits: { ...quickProbation, clearingGraceMs: 0 } },
    join(directory, "gateway"),
  );
  for (let number = 1; number <= commands; number += 1) {
    harness.content.files.set(packageName(number), packageOf(number));
  }
  return harness;
}

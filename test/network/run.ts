/**
 * `npm run test:network -- [--hours N] [--kills N] [--seed N] [--verbose]`: a day of network faults in a few minutes,
 * then real engines killed while they upload. What Murano holds at the end must be what was acknowledged, each value
 * once, in order; test/README.md tells more.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { seededRandom } from "../../src/emulator/faults/seeded-random.ts";
import { startTestEmulator } from "../support/emulator.ts";
import { killWhileUploading } from "./kills.ts";
import type { Verdict } from "./ledger.ts";
import { Simulation, type SimulationResult } from "./simulation.ts";

const { values } = parseArgs({
  options: {
    hours: { type: "string", default: "24" },
    kills: { type: "string", default: "30" },
    seed: { type: "string", default: "1" },
    verbose: { type: "boolean" },
  },
});

/** The disk is not what is tested here, and two hundred thousand syncs take their time: memory, where there is some. */
const scratch = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

function scratchDirectory(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(scratch, "gmq-network-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

async function simulate(hours: number, seed: number, careless: boolean): Promise<SimulationResult> {
  using queueDirectory = scratchDirectory();
  using muranoDirectory = scratchDirectory();
  await using emulator = await startTestEmulator({
    historyLimit: 1_000_000,
    dataDirectory: muranoDirectory.path,
  });
  const simulation = new Simulation({
    emulator,
    directory: queueDirectory.path,
    lengthMs: hours * 3_600_000,
    random: seededRandom(seed),
    careless,
    onPhase: ({ startMs, trouble }) => {
      if (values.verbose) console.log(`  ${(startMs / 3_600_000).toFixed(2)} h  ${trouble}`);
    },
  });
  return await simulation.run();
}

function describeDay({ verdict, phases, requests }: SimulationResult): void {
  const struck = new Map<string, number>();
  for (const { trouble } of phases) struck.set(trouble, (struck.get(trouble) ?? 0) + 1);
  struck.delete("none");
  const list = (counts: ReadonlyMap<string, number>): string =>
    [...counts].map(([name, count]) => `${name} ${count}`).join(", ");
  console.log(`  troubles      ${list(struck)}`);
  console.log(`  requests      ${list(requests)}`);
  describe(verdict);
}

function describe(verdict: Verdict): void {
  console.log(`  acknowledged  ${verdict.acknowledged}`);
  console.log(`  delivered     ${verdict.delivered}, ${verdict.moved} of them moved to another second`);
  console.log(`  too dense     ${verdict.tooDense}`);
  console.log(`  wrong         ${verdict.faults.length}`);
  for (const fault of verdict.faults.slice(0, 20)) console.log(`    ${JSON.stringify(fault)}`);
}

const [hours, kills, seed] = [Number(values.hours), Number(values.kills), Number(values.seed)];
let failed = false;

console.log(`${hours} hours of network faults, seed ${seed}`);
const startedMs = performance.now();
const result = await simulate(hours, seed, false);
describeDay(result);
console.log(`  took          ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
if (result.verdict.faults.length > 0) failed = true;

// A check that cannot fail proves nothing: a client that takes silence for success must be caught.
console.log("control: the same faults for a client that takes every failure for a success");
const control = await simulate(Math.min(hours, 1), seed, true);
const caught = control.verdict.faults.filter((fault) => fault.includes(" is lost")).length;
console.log(`  caught        ${caught} lost values`);
if (caught === 0) failed = true;

console.log(`${kills} engines killed while they upload`);
await using emulator = await startTestEmulator({ historyLimit: 1_000_000 });
const survived = await killWhileUploading({ emulator, kills, random: seededRandom(seed) });
describe(survived);
if (survived.faults.length > 0 || survived.acknowledged === 0) failed = true;

console.log(failed ? "FAILED" : "passed");
process.exitCode = failed ? 1 : 0;

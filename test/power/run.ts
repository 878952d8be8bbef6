/** `npm run test:power -- --states N [--seed TEXT] [--keep DIRECTORY] [SCENARIO…]`: docs/durability.md says what it proves. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { config } from "./config/scenario.ts";
import { ota } from "./ota/scenario.ts";
import { missing, runInside, scratchInside } from "./own-namespace.ts";
import { run } from "./programs.ts";
import { prove, type Tally, type Task } from "./proof.ts";
import type { Scenario } from "./scenario.ts";

const scenarios: readonly Scenario[] = [config as Scenario, ota as Scenario];
/** At most; a control run ends with the first recording in which it is caught. */
const controlStates = 200;
const controlStatesPerRound = 20;
const maxStatesPerRound = 250;
const shownLosses = 3;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      states: { type: "string", default: "300" },
      seed: { type: "string", default: new Date().toISOString().slice(0, 10) },
      keep: { type: "string", default: join(tmpdir(), "gwe-power-losses") },
    },
  });
  const states = Number(values.states);
  const wanted =
    positionals.length === 0 ? scenarios : scenarios.filter(({ name }) => positionals.includes(name));
  const unknown = positionals.filter((name) => !scenarios.some((scenario) => scenario.name === name));
  if (!Number.isInteger(states) || states < 1 || unknown.length > 0) {
    console.error("usage: npm run test:power -- --states N [--seed TEXT] [--keep DIRECTORY] [SCENARIO…]");
    console.error(`scenarios: ${scenarios.map(({ name }) => name).join(", ")}`);
    return 2;
  }
  const lacking = missing();
  if (lacking.length > 0) {
    console.error(`npm run test:power needs\n${lacking.map((what) => `  ${what}\n`).join("")}`);
    return 1;
  }
  const scratch = scratchInside();
  if (scratch === undefined) return await runInside();
  return (await proveAll(wanted, { states, seed: values.seed, keep: values.keep, scratch })) ? 0 : 1;
}

async function proveAll(
  wanted: readonly Scenario[],
  { states, seed, keep, scratch }: { states: number; seed: string; keep: string; scratch: string },
): Promise<boolean> {
  // In memory, and gone with this namespace.
  run("mount", "-t", "tmpfs", "tmpfs", scratch);
  const weights = wanted.reduce((sum, { weight }) => sum + weight, 0);
  let sound = true;
  console.log(`power cuts: ${states} states, seed ${seed}`);
  for (const scenario of wanted) {
    const share = Math.ceil((states * scenario.weight) / weights);
    const task: Task = {
      scenario,
      states: share,
      // At least two lives of each disk: the second begins with what a cut left.
      statesPerRound: Math.min(maxStatesPerRound, Math.ceil(share / 2)),
      seed,
      control: false,
      stopAtFirstLoss: false,
      scratch: join(scratch, scenario.name),
      keep,
    };
    console.log(`\n${scenario.name}: ${scenario.promise}`);
    const tally = await prove(task, showProgress);
    console.log(summary(tally));
    for (const loss of tally.losses.slice(0, shownLosses)) console.log(`  LOST: ${loss}`);
    if (tally.losses.length > 0) console.log(`  the disks of the first are kept in ${keep}`);
    const control = await prove(
      {
        ...task,
        states: controlStates,
        statesPerRound: controlStatesPerRound,
        control: true,
        stopAtFirstLoss: true,
      },
      () => undefined,
    );
    const caught = control.losses.length;
    console.log(
      caught > 0
        ? `  control (${scenario.control}): caught, ${caught} of ${control.states} states lost data, such as: ${firstLine(control.losses[0])}`
        : `  control (${scenario.control}): NOT CAUGHT in ${control.states} states: this proof proves nothing`,
    );
    sound &&= tally.losses.length === 0 && caught > 0;
  }
  console.log(sound ? "\nnothing lost" : "\nFAILED");
  return sound;
}

function showProgress({ states, rounds, losses }: Readonly<Tally>): void {
  if (process.stdout.isTTY)
    process.stdout.write(`\r  round ${rounds}, ${states} states, ${losses.length} lost `);
}

function summary(tally: Tally): string {
  const perState = (tally.checkingMs / tally.states).toFixed(0);
  const parts = [
    `${tally.states} states from ${tally.rounds} recordings (${tally.entries} writes and flushes, ${tally.events} notes of the load)`,
    `${tally.losses.length} lost`,
    `${tally.repairs} mounted after e2fsck`,
    `${perState} ms a state, recordings ${(tally.recordingMs / 1000).toFixed(1)} s`,
  ];
  return `${process.stdout.isTTY ? "\r" : ""}  ${parts.join("; ")}`;
}

function firstLine(text: string | undefined): string {
  return text?.split("\n")[0] ?? "";
}

process.exit(await main());

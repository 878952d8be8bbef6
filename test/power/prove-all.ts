/** Every scenario, then its control run, and what came of them in words. */
import { join } from "node:path";
import { config } from "./config/scenario.ts";
import { RigError } from "./errors.ts";
import { ota } from "./ota/scenario.ts";
import { run } from "./programs.ts";
import { prove, type Tally, type Task } from "./proof.ts";
import { queue } from "./queue/scenario.ts";
import type { Scenario } from "./scenario.ts";
import { selfUpdate } from "./self-update/scenario.ts";
import { takeOver } from "./take-over/scenario.ts";

const scenarios: readonly Scenario[] = [
  queue as Scenario,
  ota as Scenario,
  config as Scenario,
  selfUpdate as Scenario,
  takeOver as Scenario,
];
/** At most; a control run ends with the first recording in which it is caught. */
const controlStates = 200;
const controlStatesPerRound = 20;
const maxStatesPerRound = 250;
const shownLosses = 3;

export interface ProofOptions {
  /** Of all scenarios together. */
  readonly states: number;
  readonly seed: string;
  readonly keep: string;
  /** An empty directory, in this process' own mount namespace. */
  readonly scratch: string;
}

/** @param names of scenarios; none means all @returns whether nothing was lost and all controls were caught */
export async function proveAll(names: readonly string[], options: ProofOptions): Promise<boolean> {
  const { states, seed, scratch } = options;
  const wanted = scenarios.filter(({ name }) => names.length === 0 || names.includes(name));
  if (wanted.length < names.length) {
    throw new RigError(`scenarios are: ${scenarios.map(({ name }) => name).join(", ")}`);
  }
  // In memory, and gone with this namespace.
  run("mount", "-t", "tmpfs", "tmpfs", scratch);
  const weights = wanted.reduce((sum, { weight }) => sum + weight, 0);
  console.log(`power cuts: ${states} states, seed ${seed}`);
  let sound = true;
  for (const scenario of wanted) {
    const share = Math.ceil((states * scenario.weight) / weights);
    sound = (await proveOne(scenario, { ...options, states: share })) && sound;
  }
  console.log(sound ? "\nnothing lost, every control caught" : "\nFAILED");
  return sound;
}

async function proveOne(scenario: Scenario, { states, seed, keep, scratch }: ProofOptions): Promise<boolean> {
  const task: Task = {
    scenario,
    states,
    // At least two lives of each disk: the second begins with what a cut left.
    statesPerRound: Math.min(maxStatesPerRound, Math.ceil(states / 2)),
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
  return tally.losses.length === 0 && caught > 0;
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

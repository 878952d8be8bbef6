/** Load: one take-over after the other, ended by a check-in or without one, each put back in the end. */
import { runTakeOver } from "../../../src/cli/take-over/run-take-over.ts";
import { type TakeOver, TakeOverJournal } from "../../../src/cli/take-over/state.ts";
import type { Paths } from "../../../src/core/paths.ts";
import { EventLog, readEvents } from "../events.ts";
import { Dice } from "../random.ts";
import type { LoadRequest } from "../scenario.ts";
import { neverSync } from "../without-sync.ts";
import type { TakeOverEvent } from "./events.ts";
import { Machine } from "./machine.ts";

const takeOvers = 5;

const request = JSON.parse(process.argv[2] ?? "") as LoadRequest;
if (request.control) neverSync();
const dice = new Dice(request.seed);
const history = readEvents<TakeOverEvent>(request.history);
const events = new EventLog<TakeOverEvent>(request.events, request.writeLog);
const machine = new Machine(request.directory);
let number = Math.max(0, ...history.map((event) => event.number));

/** Notes when each phase is durable. */
class NotedJournal extends TakeOverJournal {
  override save(state: TakeOver): void {
    const { phase } = state;
    events.note({ kind: "begun", phase, number });
    super.save(state);
    events.note({ kind: "done", phase, number });
  }
}

const journal = new NotedJournal(machine.paths satisfies Paths);
const context = machine.context(() => dice.chance(0.5), journal);

if (request.life === 0) machine.placeOriginal();
// What a cut left of the one before.
else if (machine.takeOverTrouble() === undefined) await runTakeOver(context);
await putBack();
for (const last = number + takeOvers; number < last; ) {
  number += 1;
  machine.placeEngine(number);
  await machine.prepare(context);
  await runTakeOver(context);
  await putBack();
}

/** Where the new engine stays, its operator asks for the original. */
async function putBack(): Promise<void> {
  const state = journal.load();
  if (state?.phase === "committed") {
    await machine.restore(context, state);
    await runTakeOver(context);
  }
  if (journal.load() === undefined) events.note({ kind: "done", phase: "removed", number });
}

import { join } from "node:path";
import { runTakeOver } from "../../../src/cli/take-over/run-take-over.ts";
import { promised } from "../errors.ts";
import type { CutState, Scenario } from "../scenario.ts";
import type { TakeOverEvent } from "./events.ts";
import { cikOf, Machine } from "./machine.ts";

export const takeOver: Scenario<TakeOverEvent> = {
  name: "take-over",
  promise:
    "the take-over: at each boot the original comes up as it was, or the new engine, or what goes on to one of the two",
  load: join(import.meta.dirname, "load.ts"),
  control: "all files and directories without fsync",
  weight: 1,
  check,
};

async function check({ directory, events }: CutState<TakeOverEvent>): Promise<void> {
  const last = events.findLastIndex(({ kind }) => kind === "done");
  // Before the original is there, there is nothing to be taken over.
  if (events.length === 0) return;
  const machine = new Machine(directory);
  checkAsFound(machine, events, last);
  if (machine.journal.load() === undefined || machine.takeOverTrouble() !== undefined) return;
  await runTakeOver(machine.context(() => true));
  if (machine.journal.load() === undefined) checkRestored(machine, events);
  else none(machine.engineTrouble());
}

/** Before anything is gone on with. */
function checkAsFound(machine: Machine, events: readonly TakeOverEvent[], last: number): void {
  const phase = machine.journal.load()?.phase ?? "removed";
  const durable = events[last]?.phase ?? "removed";
  // Once the original is back, what goes on with it removes itself.
  const allowed = [durable, ...events.slice(last + 1).map((event) => event.phase), "removed"];
  if (durable !== "restored" && durable !== "removed") allowed.pop();
  promised(allowed.includes(phase), `the journal says ${phase}; it was ${allowed.join(" or ")}`);
  switch (phase) {
    case "prepared":
    case "restored":
    case "removed":
      none(machine.originalTrouble());
      break;
    case "committed":
      none(machine.engineTrouble());
      none(machine.keptTrouble());
      break;
    default:
      none(machine.takeOverTrouble());
      none(machine.keptTrouble());
  }
}

function checkRestored(machine: Machine, events: readonly TakeOverEvent[]): void {
  none(machine.originalTrouble());
  const number = Math.max(...events.map((event) => event.number));
  promised(machine.originalCik() === cikOf(number), "the original has not the CIK that is valid now");
  const left = machine.leftBehind();
  promised(left === undefined, `${left} stays behind`);
}

function none(trouble: string | undefined): void {
  promised(trouble === undefined, trouble ?? "");
}

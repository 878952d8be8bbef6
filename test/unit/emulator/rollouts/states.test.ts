import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  type RolloutAction,
  type RolloutState,
  rolloutStates,
  stateAfter,
} from "../../../../src/emulator/rollouts/states.ts";

/** The rows of docs/rollouts.md's first table of transitions that are operators' requests. */
function documented(): Map<string, Map<string, string>> {
  const text = readFileSync(join(import.meta.dirname, "../../../../docs/rollouts.md"), "utf8");
  const rows = text
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
  const head = rows.findIndex(([first]) => first === "event");
  const states = rows[head]?.slice(1) ?? [];
  return new Map(
    rows
      .slice(head + 2, head + 9)
      .filter(([name]) => name?.startsWith("`"))
      .map(([name = "", ...cells]) => [
        name.replaceAll("`", ""),
        new Map(states.map((state, index) => [state, cells[index] ?? ""])),
      ]),
  );
}

test("the table in the docs is what the code does", () => {
  const table = documented();
  expect([...table.keys()]).toEqual(["pause", "resume", "abort", "roll-back"]);
  for (const [action, cells] of table) {
    expect([...cells.keys()].toSorted()).toEqual(rolloutStates.toSorted());
    for (const [state, next] of cells) {
      expect([action, state, stateAfter(action as RolloutAction, state as RolloutState) ?? ""]).toEqual([
        action,
        state,
        next,
      ]);
    }
  }
});

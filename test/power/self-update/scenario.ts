import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { promised } from "../errors.ts";
import type { CutState, Scenario } from "../scenario.ts";
import { mostStarts, possibleStates, type UpdateEvent } from "./events.ts";
import { SmallInstallation } from "./installation.ts";

export const selfUpdate: Scenario<UpdateEvent> = {
  name: "self-update",
  promise:
    "the engine's own update: the old version or the new one is started, whole; starts on trial are counted, and none too many",
  load: join(import.meta.dirname, "load.ts"),
  control: "install.sh, trial.sh and the engine without syncs",
  weight: 1,
  check,
};

function check({ directory, events }: CutState<UpdateEvent>): void {
  using there = new SmallInstallation(directory, "never");
  const last = Math.max(0, ...events.map((event) => ("number" in event ? event.number : 0)));
  const found = there.state();
  const possible = possibleStates(events);
  promised(
    possible.some((state) => isDeepStrictEqual(state, found)),
    `it is ${JSON.stringify(found)}; it was ${possible.map((state) => JSON.stringify(state)).join(" or ")}`,
  );
  if (found.current === 0) return;
  const { current, trial } = found;
  for (const number of trial === null ? [current] : [current, trial.previous]) requireWhole(there, number);
  // As on a gateway on which it ends again and again: the former one runs after three starts in all.
  const started = Array.from({ length: mostStarts + 1 }, () => there.start());
  const allowed = trial === null ? started.length : mostStarts - trial.starts;
  const expected = started.map((_, index) => (index < allowed ? current : (trial?.previous ?? current)));
  promised(isDeepStrictEqual(started, expected), `started were ${started.join()}, not ${expected.join()}`);
  // What the cut left is in nobody's way.
  there.install(last + 1);
  promised(there.start() === last + 1, "an update after the cut is not what is started");
  requireWhole(there, last + 1);
  promised(there.leftovers().length === 0, `there stays ${there.leftovers().join(", ")}`);
}

function requireWhole(there: SmallInstallation, number: number): void {
  const damage = there.damage(number);
  promised(damage === undefined, `version ${number} is not whole: ${damage}`);
}

/** What is current, and the trial of that version as far as there is one. Numbers are of versions; 0: none. */
export interface InstalledState {
  readonly current: number;
  readonly trial: { readonly previous: number; readonly starts: number } | null;
}

/** How a trial ends in the running engine: docs/installation.md, "Upgrade". */
export type Verdict = "proved" | "forgiven-and-proved" | "given-up";

/**
 * `begun` before a step, `done` when it has returned; `found`: what a life of the disk begins with.
 * `start`: of the current version, by its own script.
 */
export type UpdateEvent =
  | { readonly kind: "found"; readonly state: InstalledState }
  | { readonly kind: "begun" | "done"; readonly step: "install"; readonly number: number }
  | { readonly kind: "begun" | "done"; readonly step: "start" }
  | { readonly kind: "begun" | "done"; readonly step: Verdict };

export const mostStarts = 3;

/** What may be there after these events: one state, or while a step is under way any on its way. */
export function possibleStates(events: readonly UpdateEvent[]): readonly InstalledState[] {
  let state: InstalledState = { current: 0, trial: null };
  let underWay: readonly InstalledState[] = [];
  for (const event of events) {
    if (event.kind === "found") [state, underWay] = [event.state, []];
    else {
      const way = wayOf(state, event);
      if (event.kind === "begun") underWay = way;
      else [state, underWay] = [way.at(-1) ?? state, []];
    }
  }
  return [state, ...underWay];
}

/** The states that a step leads through, in order. */
function wayOf(
  { current, trial }: InstalledState,
  event: Exclude<UpdateEvent, { readonly kind: "found" }>,
): readonly InstalledState[] {
  const back: InstalledState = { current: trial?.previous ?? current, trial: null };
  switch (event.step) {
    case "install":
      return [{ current: event.number, trial: current === 0 ? null : { previous: current, starts: 0 } }];
    case "start":
      if (trial === null) return [{ current, trial }];
      return trial.starts < mostStarts
        ? [{ current, trial: { ...trial, starts: trial.starts + 1 } }]
        : [back];
    case "proved":
      return [{ current, trial: null }];
    case "forgiven-and-proved":
      return [
        { current, trial: trial === null ? null : { ...trial, starts: 0 } },
        { current, trial: null },
      ];
    case "given-up":
      return [back];
  }
}

import { isDeepStrictEqual } from "node:util";
import { type Aspect, aspects, type Note, type Observation, type StateNote } from "./case.ts";

/** One aspect in which two observations differ, for a person. */
export interface Difference {
  readonly aspect: Aspect;
  readonly real: unknown;
  readonly own: unknown;
}

/**
 * supervisord looks at its processes when something happens, and else once a second: whatever it does by time is up
 * to that much late, and so may be noted or not when it lasts less. The rest is for a busy machine.
 */
const toleranceS = 1.4;

type Start = Extract<Note, { kind: "start" }>;

/** How the two made of the same case differ, in the order of `aspects`. */
export function compare(real: Observation, own: Observation): readonly Difference[] {
  return aspects.flatMap((aspect) => {
    const [one, other] = [views[aspect](real), views[aspect](own)];
    return agree(aspect, one, other) ? [] : [{ aspect, real: one, own: other }];
  });
}

const views: Readonly<Record<Aspect, (observation: Observation) => unknown>> = {
  accepted: ({ accepted }) => accepted,
  steps: ({ stuckAt }) => stuckAt,
  argv: (observation) => distinct(observation, ({ argv }) => argv),
  environment: (observation) => distinct(observation, ({ environment }) => environment),
  cwd: (observation) => distinct(observation, ({ cwd }) => cwd),
  umask: (observation) => distinct(observation, ({ umask }) => umask),
  ids: (observation) => distinct(observation, ({ ids }) => ids),
  process: (observation) =>
    distinct(observation, ({ leads_group, descriptors, niceness }) => ({
      leads_group,
      descriptors,
      niceness,
    })),
  stdin: ({ notes }) => notes.flatMap((note) => (note.kind === "stdin" ? note.state : [])),
  starts: (observation) => starts(observation).length,
  spacing: spacing,
  signals: ({ notes }) =>
    notes
      .flatMap((note) => (note.kind === "signal" ? `${note.signal}${note.child ? " in the child" : ""}` : []))
      .sort(),
  "signal times": ({ notes, stops }) =>
    notes.flatMap((note) => {
      const stop = stops.findLast((t) => t <= note.t);
      return note.kind === "signal" && stop !== undefined ? note.t - stop : [];
    }),
  states: ({ states }) => states,
  end: ({ end }) => end,
  "log names": (observation) => logs(observation).map(([name]) => name),
  "log contents": (observation) => logs(observation),
};

function agree(aspect: Aspect, real: unknown, own: unknown): boolean {
  if (aspect === "states") return statesAgree(real as Observation["states"], own as Observation["states"]);
  if (aspect === "spacing" || aspect === "signal times") return timesAgree(real as number[], own as number[]);
  return isDeepStrictEqual(real, own);
}

function starts({ notes }: Observation): readonly Start[] {
  return notes.filter((note) => note.kind === "start");
}

/** What the starts saw, each once, in a stable order, without what is a supervisor's own. */
function distinct(observation: Observation, of: (start: Start) => unknown): readonly string[] {
  const seen = starts(observation).map((start) => neutral(JSON.stringify(of(start)), observation));
  return [...new Set(seen)].sort();
}

function neutral(text: string, { own }: Observation): string {
  return own.reduce((result, [part, placeholder]) => result.replaceAll(part, placeholder), text);
}

/** From each end, as it noted it, or else each start, to the next start. */
function spacing(observation: Observation): readonly number[] {
  const all = starts(observation);
  return all.slice(1).map((start, index) => start.t - (all[index]?.t ?? 0));
}

function logs(observation: Observation): readonly (readonly [string, string])[] {
  return [...observation.logs]
    .map(
      ([name, content]) =>
        [
          neutral(name, observation).replace(/---supervisor-\w+\.log/, ".log"),
          neutral(content, observation),
        ] as const,
    )
    .sort(([one], [other]) => (one < other ? -1 : 1));
}

function timesAgree(real: readonly number[], own: readonly number[]): boolean {
  return (
    real.length === own.length && real.every((t, index) => Math.abs(t - (own[index] ?? 0)) <= toleranceS)
  );
}

/** Each lasting state of either is among all of the other, in the same order; the last is the same. */
function statesAgree(real: Observation["states"], own: Observation["states"]): boolean {
  if (!isDeepStrictEqual([...real.keys()].sort(), [...own.keys()].sort())) return false;
  return [...real].every(([name, notes]) => {
    const others = own.get(name) ?? [];
    return (
      isWithin(lasting(notes), notes.length === 0 ? [] : others) &&
      isWithin(lasting(others), notes) &&
      notes.at(-1)?.state === others.at(-1)?.state
    );
  });
}

function lasting(notes: readonly StateNote[]): readonly StateNote[] {
  return notes.filter(({ t }, index) => {
    const next = notes[index + 1];
    return next === undefined || next.t - t > toleranceS;
  });
}

function isWithin(some: readonly StateNote[], all: readonly StateNote[]): boolean {
  let from = 0;
  return some.every(({ state }) => {
    from = all.findIndex((one, index) => index >= from && one.state === state) + 1;
    return from > 0;
  });
}

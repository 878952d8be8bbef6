import { execFileSync } from "node:child_process";
import { isDeepStrictEqual } from "node:util";
import { type Aspect, aspects, type Note, type Observation, type StateNote } from "./case.ts";

/** One aspect in which two observations differ, for a person. */
export interface Difference {
  readonly aspect: Aspect;
  readonly real: unknown;
  readonly own: unknown;
}

/** What two runs of the same thing may differ by on a machine with other work. */
const jitterS = 0.3;

/**
 * supervisord's loop turns when something happens, and else once a second: whatever it does by time is up to that much
 * late, and so may be noted or not when it lasts less.
 */
const turnS = 1;

/** An end is noticed in one turn and answered with a start in the next: while nothing else happens, both are late. */
const restartTurns = 2;

type Start = Extract<Note, { kind: "start" }>;

/** What whoever started this test leaves open for every process: supervisord closes it, under a service manager there is none. */
const inherited: ReadonlySet<number> = new Set(
  execFileSync("/bin/ls", ["/proc/self/fd"], { encoding: "utf8" })
    .split("\n")
    .map(Number)
    .filter((fd) => fd > 3),
);

/** supervisord's own server is there for the sake of this test alone. */
function isComparable(entry: string): boolean {
  return !entry.startsWith("SUPERVISOR_SERVER_URL=unix:");
}

/**
 * How the two made of the same case differ, in the order of `aspects`.
 *
 * @param latenessS how late this machine was at most, when it had promised to do something at a time
 */
export function compare(real: Observation, own: Observation, latenessS: number): readonly Difference[] {
  const unevennessS = jitterS + 4 * latenessS;
  if (real.accepted !== own.accepted) {
    return [{ aspect: "accepted", real: real.accepted, own: own.accepted }];
  }
  return aspects.flatMap((aspect) => {
    const [one, other] = [views[aspect](real), views[aspect](own)];
    return agree(aspect, one, other, unevennessS) ? [] : [{ aspect, real: one, own: other }];
  });
}

const views: Readonly<Record<Aspect, (observation: Observation) => unknown>> = {
  accepted: ({ accepted }) => accepted,
  steps: ({ stuckAt }) => stuckAt,
  argv: (observation) => distinct(observation, ({ argv }) => argv),
  environment: (observation) => distinct(observation, ({ environment }) => environment.filter(isComparable)),
  cwd: (observation) => distinct(observation, ({ cwd }) => cwd),
  umask: (observation) => distinct(observation, ({ umask }) => umask),
  ids: (observation) => distinct(observation, ({ ids }) => ids),
  process: (observation) =>
    distinct(observation, ({ leads_group, descriptors, niceness }) => ({
      leads_group,
      descriptors: descriptors.filter((fd) => !inherited.has(fd)),
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

function agree(aspect: Aspect, real: unknown, own: unknown, unevennessS: number): boolean {
  if (aspect === "states")
    return statesAgree(real as Observation["states"], own as Observation["states"], turnS + unevennessS);
  if (aspect === "spacing")
    return timesAgree(
      real as number[],
      own as number[],
      turnS + unevennessS,
      restartTurns * turnS + unevennessS,
    );
  if (aspect === "signal times")
    return timesAgree(real as number[], own as number[], turnS + unevennessS, turnS + unevennessS);
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

function timesAgree(
  real: readonly number[],
  own: readonly number[],
  laterS: number,
  earlierS: number,
): boolean {
  if (real.length !== own.length) return false;
  return real.every((t, index) => {
    const later = (own[index] ?? 0) - t;
    return later <= laterS && -later <= earlierS;
  });
}

/** Each lasting state of either is among all of the other, in the same order; the last is the same. */
function statesAgree(real: Observation["states"], own: Observation["states"], toleranceS: number): boolean {
  if (!isDeepStrictEqual([...real.keys()].sort(), [...own.keys()].sort())) return false;
  return [...real].every(([name, notes]) => {
    const others = own.get(name) ?? [];
    return (
      isWithin(lasting(notes, toleranceS), notes.length === 0 ? [] : others) &&
      isWithin(lasting(others, toleranceS), notes) &&
      notes.at(-1)?.state === others.at(-1)?.state
    );
  });
}

function lasting(notes: readonly StateNote[], toleranceS: number): readonly StateNote[] {
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

/** For a person who has to find out why. */
export function describe({ aspect, real, own }: Difference): string {
  return `${aspect}\n  supervisord: ${shown(real)}\n  here:        ${shown(own)}\n`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value instanceof Map ? Object.fromEntries(value) : value);
  return text.length > 1_500 ? `${text.slice(0, 1_500)}…` : text;
}

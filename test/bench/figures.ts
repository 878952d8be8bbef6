/** Figures are medians of runs taken in turns, so that what else the machine does meets all of them alike. */

export interface Figure {
  readonly what: string;
  readonly value: string;
  /** The demand, where there is one. */
  readonly demand?: string;
  readonly met?: boolean;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** Runs each task once per round, in turns; resolves to each one's samples, a round apart. */
export async function samplesInTurns<K extends string>(
  rounds: number,
  tasks: Readonly<Record<K, () => Promise<number>>>,
): Promise<Record<K, number[]>> {
  const samples = Object.fromEntries(Object.keys(tasks).map((name) => [name, [] as number[]])) as Record<
    K,
    number[]
  >;
  for (let round = 0; round < rounds; round++) {
    for (const name of Object.keys(tasks) as K[]) samples[name].push(await tasks[name]());
  }
  return samples;
}

/** The same; resolves to each one's median. */
export async function medianInTurns<K extends string>(
  rounds: number,
  tasks: Readonly<Record<K, () => Promise<number>>>,
): Promise<Record<K, number>> {
  const samples = await samplesInTurns(rounds, tasks);
  return Object.fromEntries(Object.keys(tasks).map((name) => [name, median(samples[name as K])])) as Record<
    K,
    number
  >;
}

/** The median of what each round shows by itself: what disturbs one round spoils one ratio. */
export function medianRatio(one: readonly number[], other: readonly number[]): number {
  return median(one.map((value, round) => value / (other[round] ?? Number.NaN)));
}

export function atMost(what: string, value: number, limit: number, unit: string): Figure {
  return {
    what,
    value: `${value.toFixed(2)} ${unit}`,
    demand: `at most ${limit} ${unit}`,
    met: value <= limit,
  };
}

export function atLeast(what: string, value: number, limit: number, unit: string): Figure {
  return {
    what,
    value: `${value.toFixed(2)} ${unit}`,
    demand: `at least ${limit} ${unit}`,
    met: value >= limit,
  };
}

export function plain(what: string, value: string): Figure {
  return { what, value };
}

/** 99th percentiles, milliseconds. */
export interface Tail {
  readonly p99Ms: number;
  /** As somebody meets it who asks at an even pace (`atEvenPace`). */
  readonly p99EvenPaceMs: number;
}

/** @param latencies sorted, ascending, of one who waits for each answer before he asks again */
export function tailOf(latencies: readonly number[]): Tail {
  return { p99Ms: percentile(latencies, 0.99), p99EvenPaceMs: percentile(atEvenPace(latencies), 0.99) };
}

/** @param latencies sorted, ascending */
export function percentile(latencies: readonly number[], share: number): number {
  return latencies[Math.floor(latencies.length * share)] ?? 0;
}

/**
 * Latencies of one who waits for each answer before he asks again, as somebody would have met them who asks at an even
 * pace: a pause counts for as many requests as would have come in it (what `wrk` prints, and HdrHistogram calls corrected
 * for coordinated omission). @returns sorted, ascending
 */
function atEvenPace(latencies: readonly number[]): readonly number[] {
  const interval = latencies.reduce((sum, latency) => sum + latency, 0) / latencies.length;
  const all = [...latencies];
  for (const latency of latencies) {
    for (let left = latency - interval; left >= interval; left -= interval) all.push(left);
  }
  return all.sort((a, b) => a - b);
}

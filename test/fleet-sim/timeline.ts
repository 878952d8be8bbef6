import type { WorkerSecond } from "./worker-protocol.ts";

export interface Second {
  readonly checkIns: readonly number[];
  readonly requests: number;
  readonly errors: Readonly<Record<string, number>>;
}

/** What all workers told, second by second. */
export class Timeline {
  readonly #startedMs = performance.now();
  readonly #seconds: { checkIns: number[]; requests: number; errors: Record<string, number> }[] = [];
  readonly #memory = new Map<number, number>();

  add(worker: number, { checkIns, requests, errors, privateBytes }: WorkerSecond): void {
    const second = this.#at(this.now());
    second.checkIns.push(...checkIns);
    second.requests += requests;
    for (const [what, count] of Object.entries(errors))
      second.errors[what] = (second.errors[what] ?? 0) + count;
    this.#memory.set(worker, privateBytes);
  }

  /** Index of the second that is passing. */
  now(): number {
    return Math.floor((performance.now() - this.#startedMs) / 1000);
  }

  since(first: number): Second[] {
    return Array.from({ length: Math.max(0, this.now() - first) }, (_, index) => this.#at(first + index));
  }

  /** Private memory of all workers. */
  get workerBytes(): number {
    return [...this.#memory.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  #at(index: number): { checkIns: number[]; requests: number; errors: Record<string, number> } {
    while (this.#seconds.length <= index) this.#seconds.push({ checkIns: [], requests: 0, errors: {} });
    return this.#seconds[index] ?? { checkIns: [], requests: 0, errors: {} };
  }
}

export interface Summary {
  readonly seconds: number;
  readonly checkIns: number;
  readonly checkInsPerSecond: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
  readonly errors: Readonly<Record<string, number>>;
}

export function summarise(seconds: readonly Second[]): Summary {
  const latencies = seconds.flatMap(({ checkIns }) => checkIns).toSorted((a, b) => a - b);
  const at = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  const errors: Record<string, number> = {};
  for (const second of seconds) {
    for (const [what, count] of Object.entries(second.errors)) errors[what] = (errors[what] ?? 0) + count;
  }
  const requests = seconds.reduce((sum, second) => sum + second.requests, 0);
  return {
    seconds: seconds.length,
    checkIns: latencies.length,
    checkInsPerSecond: latencies.length / seconds.length,
    requestsPerSecond: requests / seconds.length,
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    worstMs: latencies.at(-1) ?? 0,
    errors,
  };
}

/** Check-ins a second as bars, several seconds a line. */
export function curve(seconds: readonly Second[], perLine: number): string {
  const rates: number[] = [];
  for (let start = 0; start < seconds.length; start += perLine) {
    const some = seconds.slice(start, start + perLine);
    rates.push(some.reduce((sum, { checkIns }) => sum + checkIns.length, 0) / some.length);
  }
  const most = Math.max(1, ...rates);
  return rates
    .map((rate, line) => {
      const bar = "#".repeat(Math.round((rate / most) * 50));
      return `  ${String(line * perLine).padStart(4)} s  ${rate.toFixed(0).padStart(6)}/s  ${bar}`;
    })
    .join("\n");
}

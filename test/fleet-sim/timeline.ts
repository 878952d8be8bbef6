import type { WorkerSecond } from "./worker-protocol.ts";

export interface Second {
  readonly checkIns: readonly number[];
  readonly requests: number;
  readonly stale: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly lateMs: number;
}

interface MutableSecond {
  checkIns: number[];
  requests: number;
  stale: number;
  errors: Record<string, number>;
  lateMs: number;
}

const empty = (): MutableSecond => ({ checkIns: [], requests: 0, stale: 0, errors: {}, lateMs: 0 });

/** What all workers told, second by second. */
export class Timeline {
  readonly #startedMs = performance.now();
  readonly #seconds: MutableSecond[] = [];
  readonly #newest = new Map<number, WorkerSecond>();

  add(worker: number, told: WorkerSecond): void {
    const { checkIns, requests, stale, errors, lateMs } = told;
    const second = this.#at(this.now());
    second.checkIns.push(...checkIns);
    second.requests += requests;
    second.stale += stale;
    second.lateMs = Math.max(second.lateMs, lateMs);
    for (const [what, count] of Object.entries(errors))
      second.errors[what] = (second.errors[what] ?? 0) + count;
    this.#newest.set(worker, told);
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
    return [...this.#newest.values()].reduce((sum, { privateBytes }) => sum + privateBytes, 0);
  }

  /** Gateways that are activated. */
  get activated(): number {
    return [...this.#newest.values()].reduce((sum, worker) => sum + worker.activated, 0);
  }

  #at(index: number): MutableSecond {
    while (this.#seconds.length <= index) this.#seconds.push(empty());
    return this.#seconds[index] ?? empty();
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
  /** Requests repeated because a kept-alive connection had died. */
  readonly stale: number;
  /** The longest that a process of gateways was late by. */
  readonly lateMs: number;
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
    stale: seconds.reduce((sum, second) => sum + second.stale, 0),
    lateMs: Math.max(0, ...seconds.map(({ lateMs }) => lateMs)),
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

import type { Random } from "../../core/clock.ts";
import type { Fault, FaultMatch, Strike } from "./fault.ts";

/** A request as faults see it. */
export interface Target {
  readonly procedure: string;
  readonly method: string;
  readonly path: string;
  readonly product: string | undefined;
  readonly device: string | undefined;
}

export interface ActiveFault extends Fault {
  readonly id: string;
  /** Requests struck so far. */
  readonly struck: number;
}

interface Entry {
  readonly fault: Fault & { readonly id: string };
  readonly path: RegExp | undefined;
  seen: number;
  struck: number;
}

/** The faults in force. Which requests they strike depends only on the order of the requests and the seed. */
export class FaultBox {
  readonly #random: Random;
  #entries: Entry[] = [];
  #made = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Whether any fault looks at who is asking, which costs a look-up. */
  get needsDevice(): boolean {
    return this.#entries.some(({ fault }) => fault.match?.device !== undefined || fault.match?.product);
  }

  /** Adds a fault, in place of one with the same id; returns its id. */
  add(fault: Fault): string {
    this.#made += 1;
    const id = fault.id ?? `fault-${this.#made}`;
    this.remove(id);
    const path = fault.match?.path;
    this.#entries.push({ fault: { ...fault, id }, path: path ? glob(path) : undefined, seen: 0, struck: 0 });
    return id;
  }

  remove(id: string): boolean {
    const before = this.#entries.length;
    this.#entries = this.#entries.filter(({ fault }) => fault.id !== id);
    return this.#entries.length < before;
  }

  clear(): void {
    this.#entries = [];
  }

  list(): ActiveFault[] {
    return this.#entries.map(({ fault, struck }) => ({ ...fault, struck }));
  }

  /** What happens to this request; counts are used up. Undefined: nothing. */
  strike(target: Target): Strike | undefined {
    if (this.#entries.length === 0) return undefined;
    const hits = this.#entries.filter((entry) => this.#hits(entry, target));
    if (hits.length === 0) return undefined;
    this.#entries = this.#entries.filter(({ fault, struck }) => struck < (fault.count ?? Infinity));
    return combine(hits.map(({ fault }) => fault));
  }

  #hits(entry: Entry, target: Target): boolean {
    const { fault } = entry;
    if (!matches(fault.match, entry.path, target)) return false;
    entry.seen += 1;
    if (entry.seen <= (fault.skip ?? 0)) return false;
    if (fault.probability !== undefined && this.#random() >= fault.probability) return false;
    entry.struck += 1;
    return true;
  }
}

function matches(match: FaultMatch | undefined, path: RegExp | undefined, target: Target): boolean {
  if (!match) return true;
  return (
    (match.procedure === undefined || match.procedure === target.procedure) &&
    (match.method === undefined || match.method.toUpperCase() === target.method) &&
    (path === undefined || path.test(target.path)) &&
    (match.device === undefined || match.device === target.device) &&
    (match.product === undefined || match.product === target.product)
  );
}

/** `*` stands for any text. */
function glob(pattern: string): RegExp {
  const source = pattern.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${source.join(".*")}$`);
}

/** Delays add up; of the rest, the fault that was added first decides. */
function combine(faults: readonly (Fault & { readonly id: string })[]): Strike {
  const answering = faults.find(({ status }) => status !== undefined);
  return {
    ids: faults.map(({ id }) => id),
    latencyMs: faults.reduce((sum, { latencyMs = 0 }) => sum + latencyMs, 0),
    drop: faults.find(({ drop }) => drop)?.drop,
    answer: answering && {
      when: answering.statusWhen ?? "before",
      status: answering.status ?? 500,
      headers: answering.headers ?? {},
      body: answering.body,
    },
    cutAfterBytes: faults.find(({ cutAfterBytes }) => cutAfterBytes !== undefined)?.cutAfterBytes,
    bytesPerSecond: faults.find(({ bytesPerSecond }) => bytesPerSecond !== undefined)?.bytesPerSecond,
  };
}

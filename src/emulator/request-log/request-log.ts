/** One answered request. Nothing secret: neither CIKs nor values. */
export interface RequestEntry {
  /** Counts up by one per entry; the cursor of whoever reads on. */
  readonly n: number;
  /** Unix milliseconds at arrival, by the emulator's clock. */
  readonly timeMs: number;
  readonly durationMs: number;
  readonly method: string;
  /** With its query: the aliases of a read. */
  readonly path: string;
  readonly procedure: string;
  readonly product: string | null;
  /** Serial number; null for requests of nobody known. */
  readonly device: string | null;
  /** 0: the connection ended without an answer. */
  readonly status: number;
  /** Aliases written or recorded. */
  readonly wrote: readonly string[];
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Ids of the faults that struck it. */
  readonly faults: readonly string[];
}

/** A request that has no answer yet, such as a long poll. */
export interface OpenRequest {
  readonly timeMs: number;
  readonly method: string;
  readonly path: string;
  readonly procedure: string;
  /** Filled in as it becomes known. */
  readonly notes: { readonly device: string | undefined };
}

export type OpenEntry = Pick<RequestEntry, "timeMs" | "method" | "path" | "procedure" | "device">;

export interface RequestFilter {
  /** Only entries with a greater `n`. */
  readonly after?: number | undefined;
  readonly procedure?: string | undefined;
  readonly method?: string | undefined;
  /** Text that the path holds. */
  readonly path?: string | undefined;
  readonly device?: string | undefined;
  readonly status?: number | undefined;
  /** An alias that was written or recorded. */
  readonly wrote?: string | undefined;
}

/** The last requests, for tests and people: a ring that forgets the oldest. */
export class RequestLog {
  readonly #limit: number;
  #entries: RequestEntry[] = [];
  #last = 0;
  readonly #open = new Set<OpenRequest>();
  readonly #watchers = new Set<() => void>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** `n` of the newest entry; 0 before the first. */
  get cursor(): number {
    return this.#last;
  }

  begin(request: OpenRequest): void {
    this.#open.add(request);
    this.#changed();
  }

  end(request: OpenRequest, entry: Omit<RequestEntry, "n">): void {
    this.#open.delete(request);
    this.#last += 1;
    this.#entries.push({ n: this.#last, ...entry });
    // Cut in steps: shifting the ring at each request would cost more than the request.
    if (this.#entries.length >= this.#limit * 2) this.#entries = this.#entries.slice(-this.#limit);
    this.#changed();
  }

  /** Oldest first. */
  find(filter: RequestFilter, limit = Infinity): RequestEntry[] {
    const found: RequestEntry[] = [];
    // Entries are numbered without gaps: what the cursor has passed needs no look.
    const unseen = Math.max(0, this.#last - (filter.after ?? 0));
    const start = Math.max(0, this.#entries.length - Math.min(this.#limit, unseen));
    for (let at = start; at < this.#entries.length && found.length < limit; at++) {
      const entry = this.#entries[at];
      if (entry && matches(entry, filter)) found.push(entry);
    }
    return found;
  }

  open(): OpenEntry[] {
    return Array.from(this.#open, ({ notes, ...rest }) => ({ ...rest, device: notes.device ?? null }));
  }

  /** Something about an open request became known. */
  touch(): void {
    this.#changed();
  }

  /** Calls back at every change; returns what ends it. */
  watch(listener: () => void): () => void {
    this.#watchers.add(listener);
    return () => {
      this.#watchers.delete(listener);
    };
  }

  #changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

function matches(entry: RequestEntry, filter: RequestFilter): boolean {
  return (
    entry.n > (filter.after ?? 0) &&
    (filter.procedure === undefined || filter.procedure === entry.procedure) &&
    (filter.method === undefined || filter.method.toUpperCase() === entry.method) &&
    (filter.path === undefined || entry.path.includes(filter.path)) &&
    (filter.device === undefined || filter.device === entry.device) &&
    (filter.status === undefined || filter.status === entry.status) &&
    (filter.wrote === undefined || entry.wrote.includes(filter.wrote))
  );
}

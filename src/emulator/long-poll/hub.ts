/** Who wrote a value: the device itself, its owner, or the server in carrying out what an owner asked for. */
export type Writer = "device" | "owner" | "server";

/** Told of every change: whose values, which aliases, and who wrote them. */
export type ValueObserver = (clientId: number, aliases: readonly string[], by: Writer) => void;

/** Wakes the long polls of a dataport. Waiters are told that something happened, and look for themselves. */
export class LongPollHub {
  readonly #waiters = new Map<string, Set<() => void>>();
  readonly #observers = new Set<ValueObserver>();
  readonly #clientObservers = new Set<(clientId: number) => void>();

  /** Number of polls that wait. */
  get size(): number {
    let count = 0;
    for (const waiters of this.#waiters.values()) count += waiters.size;
    return count;
  }

  /** Calls `wake` at every change of this alias; returns what ends it. */
  watch(clientId: number, alias: string, wake: () => void): () => void {
    const key = keyOf(clientId, alias);
    const waiters = this.#waiters.get(key) ?? new Set();
    this.#waiters.set(key, waiters);
    waiters.add(wake);
    return () => {
      waiters.delete(wake);
      if (waiters.size === 0 && this.#waiters.get(key) === waiters) this.#waiters.delete(key);
    };
  }

  /** Calls back at every change of any client's values; returns what ends it. */
  observe(observer: ValueObserver): () => void {
    this.#observers.add(observer);
    return () => {
      this.#observers.delete(observer);
    };
  }

  /** Calls back when something happens to a client; returns what ends it. */
  observeClients(observer: (clientId: number) => void): () => void {
    this.#clientObservers.add(observer);
    return () => {
      this.#clientObservers.delete(observer);
    };
  }

  /** After the commit: these aliases of a client have a new value. */
  changed(clientId: number, aliases: readonly string[], by: Writer = "device"): void {
    for (const observer of this.#observers) observer(clientId, aliases, by);
    if (this.#waiters.size === 0) return;
    for (const alias of aliases) this.#wake(keyOf(clientId, alias));
  }

  /** A client's CIK is void: its polls must notice. */
  clientChanged(clientId: number): void {
    for (const observer of this.#clientObservers) observer(clientId);
    const prefix = keyOf(clientId, "");
    for (const key of [...this.#waiters.keys()]) if (key.startsWith(prefix)) this.#wake(key);
  }

  /** Every poll looks once more. */
  wakeAll(): void {
    for (const key of [...this.#waiters.keys()]) this.#wake(key);
  }

  #wake(key: string): void {
    for (const wake of [...(this.#waiters.get(key) ?? [])]) wake();
  }
}

function keyOf(clientId: number, alias: string): string {
  return `${clientId}/${alias}`;
}

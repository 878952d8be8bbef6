/** The shortest time that a gateway may be silent without counting as offline. */
const leastSilenceS = 90;

interface State {
  /** Unix seconds of its last request. */
  seen: number;
  /** Of the last but one check-in, and what lies between them usually. */
  checkedIn: number;
  interval: number | undefined;
  polls: number;
}

/** Who spoke when. Kept in memory: after a restart the newest report's time stands in. */
export class Presence {
  readonly #states = new Map<number, State>();
  readonly #listeners = new Set<(clientId: number) => void>();
  #changed = new Set<number>();

  /** A device sent a request, be it valid or not in what it asks. */
  note(clientId: number, now: number): void {
    const state = this.#of(clientId);
    if (state.seen === now) return;
    state.seen = now;
    this.#changed.add(clientId);
    for (const listener of this.#listeners) listener(clientId);
  }

  /** Calls back when a device has spoken, at most once a second for each; returns what ends it. */
  listen(listener: (clientId: number) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Those that hold a long poll. */
  pollers(): number[] {
    return [...this.#states].flatMap(([clientId, { polls }]) => (polls > 0 ? clientId : []));
  }

  /** It checked in: its reports came. */
  checkedIn(clientId: number, now: number): void {
    const state = this.#of(clientId);
    const passed = now - state.checkedIn;
    if (state.checkedIn > 0 && passed > 0) {
      // A result of a command brings check-ins between: the longer distance is the interval, unless it was set shorter.
      const { interval = passed } = state;
      state.interval = passed >= interval ? passed : Math.round(interval * 0.75 + passed * 0.25);
    }
    if (passed > 0) state.checkedIn = now;
    this.note(clientId, now);
  }

  /** It holds a long poll, until the returned function is called. */
  polling(clientId: number): (now: number) => void {
    const state = this.#of(clientId);
    state.polls += 1;
    this.#changed.add(clientId);
    return (now) => {
      state.polls -= 1;
      this.note(clientId, now);
      this.#changed.add(clientId);
    };
  }

  of(clientId: number): Pick<State, "seen" | "interval"> & { readonly isPolling: boolean } {
    const { seen = 0, interval, polls = 0 } = this.#states.get(clientId) ?? {};
    return { seen, interval, isPolling: polls > 0 };
  }

  /** Who spoke since the last call. */
  takeChanged(): ReadonlySet<number> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  #of(clientId: number): State {
    let state = this.#states.get(clientId);
    if (!state) {
      state = { seen: 0, checkedIn: 0, interval: undefined, polls: 0 };
      this.#states.set(clientId, state);
    }
    return state;
  }
}

/** Until when a gateway counts as online if nothing more comes; far off while it holds a long poll. */
export function onlineUntil(seen: number, interval: number | undefined, isPolling: boolean): number {
  if (isPolling) return Number.MAX_SAFE_INTEGER;
  if (seen === 0) return 0;
  return seen + Math.max(leastSilenceS, Math.ceil((interval ?? 0) * 2.5));
}

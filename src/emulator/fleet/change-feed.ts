/** Something that is not a dataport's value changed, after its commit. */
export type Change =
  /** Devices, serials or groups: who belongs to the fleet. */
  { readonly kind: "roster" } | { readonly kind: "content"; readonly product: string };

/** Tells whoever shows the fleet what the management side changed. */
export class ChangeFeed {
  readonly #listeners = new Set<(change: Change) => void>();

  announce(change: Change): void {
    for (const listener of [...this.#listeners]) listener(change);
  }

  /** Returns what ends it. */
  listen(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}

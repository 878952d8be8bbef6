/**
 * Which of the drawn elements shows which row. A row keeps its element as long as it is in view, and those that come take
 * the elements of those that left: filling one costs a third of making one.
 */
export class RowSlots {
  #slots: ReadonlyMap<string, number> = new Map();

  /** @param keys of the rows in view, each once */
  assign(keys: readonly string[]): ReadonlyMap<string, number> {
    const before = this.#slots;
    const next = new Map<string, number>();
    const inUse = new Set<number>();
    for (const key of keys) {
      const slot = before.get(key);
      if (slot === undefined) continue;
      next.set(key, slot);
      inUse.add(slot);
    }
    let free = 0;
    for (const key of keys) {
      if (next.has(key)) continue;
      while (inUse.has(free)) free += 1;
      next.set(key, free);
      inUse.add(free);
    }
    this.#slots = next;
    return next;
  }
}

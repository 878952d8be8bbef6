/** One operation at a time for each app; different apps don't wait for each other. */
export class AppLocks {
  private readonly tails = new Map<string, Promise<void>>();

  async run<T>(name: string, operation: () => Promise<T>): Promise<T> {
    const before = this.tails.get(name) ?? Promise.resolve();
    const result = before.then(operation);
    const tail = result.then(
      () => undefined,
      () => undefined,
    );
    this.tails.set(name, tail);
    try {
      return await result;
    } finally {
      if (this.tails.get(name) === tail) this.tails.delete(name);
    }
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.tails.values());
  }
}

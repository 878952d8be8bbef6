/** Lets so many tasks run at a time; the others wait their turn, first come first served. */
export class Slots {
  private readonly count: () => number;
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  /** @param count asked anew at each turn */
  constructor(count: () => number) {
    this.count = count;
  }

  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.running < this.count()) this.running += 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await work();
    } finally {
      this.running -= 1;
      this.admit();
    }
  }

  private admit(): void {
    while (this.running < this.count()) {
      const next = this.waiting.shift();
      if (next === undefined) return;
      this.running += 1;
      next();
    }
  }
}

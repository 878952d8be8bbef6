/** Failed sign-ins that one address may make in a minute. */
const perMinute = 10;

/** Slows down whoever guesses tokens. */
export class SignInLimit {
  readonly #failures = new Map<string, { windowEnds: number; count: number }>();

  /** Seconds until this address may try again; 0: now. */
  waitS(address: string, now: number): number {
    const failures = this.#failures.get(address);
    if (!failures || failures.windowEnds <= now || failures.count < perMinute) return 0;
    return failures.windowEnds - now;
  }

  failed(address: string, now: number): void {
    for (const [known, { windowEnds }] of this.#failures) {
      if (windowEnds <= now) this.#failures.delete(known);
    }
    const failures = this.#failures.get(address) ?? { windowEnds: now + 60, count: 0 };
    failures.count += 1;
    this.#failures.set(address, failures);
  }
}

import type { Random } from "../../src/core/clock.ts";
import { seededRandom } from "../../src/emulator/faults/seeded-random.ts";

/** Choices that are the same for the same seed. */
export class Dice {
  private readonly random: Random;

  /** @param seeds numbers and names that together make one seed */
  constructor(...seeds: readonly (number | string)[]) {
    // FNV-1a: near seeds must not make near sequences.
    let hash = 0x811c9dc5;
    for (const byte of Buffer.from(seeds.join("/"))) hash = Math.imul(hash ^ byte, 0x01000193);
    this.random = seededRandom(hash >>> 0);
    this.random();
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.random() * (to - from + 1));
  }

  /** @throws RangeError for an empty list */
  pick<T>(values: readonly T[]): T {
    const value = values[this.between(0, values.length - 1)];
    if (value === undefined) throw new RangeError("nothing to pick from");
    return value;
  }

  /** `length` letters and digits. */
  text(length: number): string {
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let text = "";
    while (text.length < length) text += letters[this.between(0, letters.length - 1)];
    return text;
  }
}

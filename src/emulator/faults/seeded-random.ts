import type { Random } from "../../core/clock.ts";

/** Uniform numbers that are the same for the same seed (a 32-bit xorshift: chance for faults, not for secrets). */
export function seededRandom(seed: number): Random {
  // Zero would stay zero for ever.
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 0x1_0000_0000;
  };
}

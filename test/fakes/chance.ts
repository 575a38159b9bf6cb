// Chance that can be repeated: the same seed gives the same run.

/** Numbers from 0 up to 1. */
export function seededChance(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    // xorshift, 32 bits: short, and even enough to draw faults with.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 0x1_0000_0000;
  };
}

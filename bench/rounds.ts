// Measuring two things in turns, so that whatever else the machine does meets both. The best of the rounds
// is what the code can do; the middle one is what one usually gets.

export interface Times {
  readonly best: number;
  readonly median: number;
}

export function timesOf(values: readonly number[]): Times {
  const sorted = values.toSorted((a, b) => a - b);
  const [best] = sorted;
  const median = sorted[Math.floor(sorted.length / 2)];
  if (best === undefined || median === undefined) throw new Error("nothing was measured");
  return { best, median };
}

/** Runs both `rounds` times, in turns. */
export async function inTurns<Ours, Theirs>(
  rounds: number,
  ours: (round: number) => Promise<Ours>,
  theirs: (round: number) => Promise<Theirs>,
): Promise<{ readonly ours: readonly Ours[]; readonly theirs: readonly Theirs[] }> {
  const results: { readonly ours: Ours[]; readonly theirs: Theirs[] } = { ours: [], theirs: [] };
  for (let round = 0; round < rounds; round++) {
    results.theirs.push(await theirs(round));
    results.ours.push(await ours(round));
  }
  return results;
}

/** Milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

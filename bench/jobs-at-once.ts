// Many jobs that do nothing, eight at a time: how many of them a second, and what they take of memory together.

import type { RawJob } from "../src/stand-in/raw-job.ts";
import { bareCalls } from "./bare-calls.ts";
import { builtPackage } from "./built.ts";
import { fromPackage, openGitLab, startBurstRun } from "./burst-run.ts";
import { inTurns, timed, timesOf } from "./rounds.ts";
import { megabytes } from "./row.ts";
import type { Benchmark } from "./row.ts";

const concurrent = 8;
const raw: RawJob = { name: "no-op", script: ["true"] };

export const jobsAtOnce: Benchmark = {
  name: "jobs",
  async run({ quick, note }) {
    const count = quick ? 16 : 40;
    const dist = builtPackage(note);
    const burst = await startBurstRun({ program: fromPackage(dist), concurrent });
    const bareGitLab = await openGitLab();
    const bare = bareCalls(bareGitLab);
    try {
      const { job } = await burst.run(raw);
      const trace = job.trace();
      await bare.run(raw, trace);
      const { ours, theirs } = await inTurns(
        quick ? 1 : 3,
        () => timed(() => Promise.all(Array.from({ length: count }, () => burst.run(raw)))),
        () => timed(() => atOnce(count, () => bare.run(raw, trace))),
      );
      const perSecond = (times: readonly number[]) => (1000 * count) / timesOf(times).best;
      const [measured, baseline] = [perSecond(ours), perSecond(theirs)];
      const { runner, agent, together } = burst.memory;
      note(
        `memory: runner ${megabytes(runner)}, an agent ${megabytes(agent)}, all together ${megabytes(together)}`,
      );
      return [
        {
          name: `${count} no-op jobs, ${concurrent} at once`,
          measured: `${measured.toFixed(1)} jobs/s`,
          baseline: `${baseline.toFixed(1)} jobs/s`,
          ratio: measured / baseline,
          aim: undefined,
          memory: together,
        },
      ];
    } finally {
      await bare.close();
      await burst.close();
      await bareGitLab.close();
    }
  },
};

/** Does it `count` times, `concurrent` at a time. */
async function atOnce(count: number, work: () => Promise<unknown>): Promise<void> {
  let begun = 0;
  const lane = async () => {
    while (begun < count) {
      begun++;
      await work();
    }
  };
  await Promise.all(Array.from({ length: concurrent }, lane));
}

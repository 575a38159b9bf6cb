// A burst of jobs against the account's limits as the fake of ECS has them, on a clock that moves as fast as the work is
// done: when has the last task been started, and when could it have been? And what a claim costs where AWS and GitLab
// answer at once.

import { startOneProcess, variables } from "../test/aws/one-process.ts";
import { createClock } from "../test/fakes/clock.ts";
import { usualBuckets } from "../test/fakes/ecs/limits.ts";
import { seededChance } from "../test/fakes/chance.ts";
import { startStandIn } from "../src/stand-in/start.ts";
import { milliseconds } from "./row.ts";
import type { Benchmark } from "./row.ts";

/** How far the clock goes at a time. */
const stepMs = 50;
const longestLagMs = 60 * 60_000;

export const awsBurst: Benchmark = {
  name: "aws-burst",
  async run({ quick, note }) {
    const count = quick ? 200 : 2000;
    const burst = await runBurst(count);
    const { capacity, perSecond } = usualBuckets["launch/FARGATE"]!;
    const allowed = (1000 * Math.max(0, count - capacity)) / perSecond;
    note(
      `${(burst.calls / count).toFixed(1)} calls of AWS for a job; ${milliseconds(burst.cpuMs / count)} of CPU for a job, ` +
        `GitLab and AWS in the same process included`,
    );
    return [
      {
        name: `${count} jobs at once: the last RunTask`,
        measured: milliseconds(burst.lastMs),
        baseline: milliseconds(allowed),
        ratio: burst.lastMs / allowed,
        aim: { atMost: 1.1 },
        memory: undefined,
      },
    ];
  },
};

async function runBurst(count: number) {
  const clock = createClock({ still: true, start: Date.now() });
  const gitlab = await startStandIn({ longPollSeconds: 0 });
  const aws = await startOneProcess({
    clock,
    chance: seededChance(1),
    risks: { death: 0, lost: 0, late: 0, twice: 0 },
    play: () => undefined,
    ecs: { vcpuQuota: { FARGATE: 10 * count, FARGATE_SPOT: 0 } },
  });
  try {
    const at = variables.BURST_PARAMETERS;
    const settings = { url: gitlab.url, check_interval: 0, limit: 0, request_concurrency: 8 };
    aws.memory.putParameter(`${at}/settings`, JSON.stringify({ vcpu_budget: 10 * count }));
    aws.memory.putParameter(`${at}/runners/team/settings`, JSON.stringify(settings));
    aws.memory.putParameter(`${at}/runners/team/token`, gitlab.runnerToken, true);
    await gitlab.addFiles("raw", { "a.txt": "a\n" });
    for (let number = 0; number < count; number++) {
      await gitlab.enqueue({
        image: {
          name: "busybox:1",
          entrypoint: null,
          ports: [],
          executor_opts: {},
          pull_policy: [],
        },
        variables: { GIT_STRATEGY: "none" },
      });
    }
    const cpu = process.cpuUsage();
    const began = clock.now();
    const polling = aws.poll("bench", longestLagMs);
    while (aws.ecs.launchTimes.length < count) {
      if (clock.now() - began > longestLagMs) throw new Error("the burst does not end");
      // What is under way takes no time on the clock, as far as it is ours.
      for (let rest = 0; rest < 40 && aws.busy() > 0; rest++) await pause(1);
      await pause(1);
      await clock.advance(stepMs);
    }
    const { user, system } = process.cpuUsage(cpu);
    const lastMs = aws.ecs.launchTimes.at(-1)! - began;
    const calls = aws.front.requests.length;
    while ((await Promise.race([polling.then(() => "over"), pause(20)])) !== "over") {
      await clock.advance(5 * 60_000);
    }
    return { lastMs, calls, cpuMs: (user + system) / 1000 };
  } finally {
    await aws.close();
    await gitlab.close();
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

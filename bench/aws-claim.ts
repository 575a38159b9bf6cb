// From GitLab's answer that hands a job out to the RunTask that starts its task, where GitLab and AWS answer at once:
// what is ours of the wait, beside the same number of calls made bare.

import { Agent, request } from "undici";
import { startStandIn } from "../src/stand-in/start.ts";
import type { StandIn } from "../src/stand-in/stand-in.ts";
import { seededChance } from "../test/fakes/chance.ts";
import { createClock } from "../test/fakes/clock.ts";
import { startOneProcess, variables } from "../test/aws/one-process.ts";
import type { OneProcess } from "../test/aws/one-process.ts";
import { timesOf } from "./rounds.ts";
import { milliseconds } from "./row.ts";
import type { Benchmark } from "./row.ts";

const longestWaitMs = 30_000;
const lifeMs = 10 * 60_000;

export const awsClaim: Benchmark = {
  name: "aws-claim",
  async run({ quick, note }) {
    const rounds = await claims(quick ? 10 : 50);
    const ours = timesOf(rounds.map(({ ours: time }) => time)).median;
    const bare = timesOf(rounds.map(({ bare: time }) => time)).median;
    const calls = timesOf(rounds.map((round) => round.calls)).median;
    const cpu = rounds.reduce((sum, round) => sum + round.cpuMs, 0) / rounds.length;
    note(
      `${calls} calls of AWS and GitLab from claim to RunTask; ${milliseconds(cpu)} of CPU for a job, fakes included`,
    );
    return [
      {
        name: "from claim to RunTask",
        measured: milliseconds(ours),
        baseline: milliseconds(bare),
        ratio: ours / bare,
        aim: undefined,
        memory: undefined,
      },
    ];
  },
};

interface Round {
  readonly ours: number;
  readonly bare: number;
  readonly calls: number;
  readonly cpuMs: number;
}

/** One job after the other, each beside its bare calls. */
async function claims(count: number): Promise<readonly Round[]> {
  const gitlab = await startStandIn({ longPollSeconds: 0 });
  const clock = createClock();
  const aws = await startOneProcess({
    clock,
    chance: seededChance(1),
    risks: { death: 0, lost: 0, late: 0, twice: 0 },
    play: () => undefined,
    ecs: { vcpuQuota: { FARGATE: 10 * count, FARGATE_SPOT: 0 } },
  });
  const dispatcher = new Agent();
  try {
    const at = variables.BURST_PARAMETERS;
    const settings = { url: gitlab.url, check_interval: 0, limit: 0 };
    aws.memory.putParameter(`${at}/settings`, JSON.stringify({ vcpu_budget: 10 * count }));
    aws.memory.putParameter(`${at}/runners/team/settings`, JSON.stringify(settings));
    aws.memory.putParameter(`${at}/runners/team/token`, gitlab.runnerToken, true);
    await gitlab.addFiles("raw", { "a.txt": "a\n" });
    const rounds: Round[] = [];
    const polling = aws.poll("bench", lifeMs);
    for (let number = 0; number < count; number++) {
      rounds.push(await oneClaim(gitlab, aws, dispatcher));
    }
    while ((await Promise.race([polling.then(() => "over"), pause(20)])) !== "over") {
      await clock.advance(lifeMs);
    }
    return rounds;
  } finally {
    await dispatcher.close();
    await aws.close();
    await gitlab.close();
  }
}

async function oneClaim(gitlab: StandIn, aws: OneProcess, dispatcher: Agent): Promise<Round> {
  gitlab.clearRequests();
  aws.front.clearRequests();
  const cpu = process.cpuUsage();
  const { id } = await gitlab.enqueue({
    image: { name: "busybox:1", entrypoint: null, ports: [], executor_opts: {}, pull_policy: [] },
    variables: { GIT_STRATEGY: "none" },
  });
  const started = aws.ecs.launchTimes.length;
  const since = performance.now();
  while (aws.ecs.launchTimes.length === started) {
    if (performance.now() - since > longestWaitMs) throw new Error("no task is started");
    await pause(1);
  }
  const { user, system } = process.cpuUsage(cpu);
  const claimed = gitlab.requests().find(({ status }) => status === 201)?.at;
  const run = aws.front.requests.find(({ action }) => action === "RunTask")?.at;
  if (claimed === undefined || run === undefined) throw new Error(`job ${id} was not claimed`);
  const between = aws.front.requests.filter(({ at }) => at >= claimed && at <= run).length;
  const told = gitlab
    .requests()
    .filter(({ at, path }) => at >= claimed && at <= run && /jobs\/\d/.test(path)).length;
  const calls = between + told;
  const began = performance.now();
  for (let call = 0; call < calls; call++) {
    const { body } = await request(`${aws.front.url}/burst-state/nothing`, { dispatcher });
    await body.dump();
  }
  return {
    ours: run - claimed,
    bare: performance.now() - began,
    calls,
    cpuMs: (user + system) / 1000,
  };
}

function pause(duration: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, duration);
  });
}

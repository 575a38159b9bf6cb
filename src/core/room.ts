// How many jobs may be asked for now. A job's size is known only when it is ours, so a request under way counts as a
// job of the runner's usual size: budgets can be overshot by larger ones, and by no more than the requests under way.

import { meetsEveryJob, obstacleText } from "./obstacle.ts";
import type { Obstacle } from "./obstacle.ts";

export interface RoomRunner {
  readonly name: string;
  readonly paused: boolean;
  /** GitLab refuses its token, and is left alone for a while. */
  readonly banned: boolean;
  /** 0 for any. */
  readonly limit: number;
  readonly requestConcurrency: number;
  /** 0 for any. */
  readonly vcpuBudget: number;
  /** 0 for any. */
  readonly dailyVcpuMinutes: number;
  /** Size of a job that asks for none. */
  readonly usualCpuUnits: number;
}

export interface OpenJob {
  readonly runner: string;
  readonly cpuUnits: number;
  /** What it waits for, where it cannot be started. */
  readonly obstacle?: Obstacle | undefined;
}

export interface RoomInput {
  readonly paused: boolean;
  /** For all runners together; 0 for any. */
  readonly vcpuBudget: number;
  readonly dailyVcpuMinutes: number;
  /** In the order in which they are served where there is not room for all. */
  readonly runners: readonly RoomRunner[];
  /** Every claim there is, whatever its phase. */
  readonly open: readonly OpenJob[];
  /** Requests for jobs under way, by runner; also of runners that are not listed any more. */
  readonly inFlight: ReadonlyMap<string, number>;
  /** More jobs are claimed than can be handed over to be started at our own pace. */
  readonly isBehind: boolean;
  /** vCPU minutes of this day so far, by runner. */
  readonly usedMinutes: ReadonlyMap<string, number>;
}

export interface Room {
  /** New requests that may be made now, by runner. */
  readonly asks: ReadonlyMap<string, number>;
  /** Why a runner gets none, for the log. */
  readonly why: ReadonlyMap<string, string>;
  /** Requests under way keep others from asking: none of them should be held by GitLab for long. */
  readonly crowded: boolean;
}

const unitsPerVcpu = 1024;

export function findRoom(input: RoomInput): Room {
  const use = useOf(input);
  const asks = new Map<string, number>();
  const why = new Map<string, string>();
  let crowded = false;
  // One request for each in turn, so that what there is is shared.
  for (let granted = true; granted;) {
    granted = false;
    for (const runner of input.runners) {
      const refusal = refuse(input, use, runner);
      if (refusal === undefined) {
        asks.set(runner.name, (asks.get(runner.name) ?? 0) + 1);
        use.ask(runner.name, runner.usualCpuUnits);
        granted = true;
      } else if (!asks.has(runner.name)) {
        if (refusal.byRequests === true && use.requestsOf(runner.name) === 0) crowded = true;
        why.set(runner.name, refusal.why);
      }
    }
  }
  return { asks, why, crowded };
}

interface Refused {
  readonly why: string;
  /** It is requests under way, not jobs, that take the room. */
  readonly byRequests?: boolean;
}

function refuse(input: RoomInput, use: Use, runner: RoomRunner): Refused | undefined {
  const { name, usualCpuUnits } = runner;
  if (input.paused) return { why: "the environment is paused" };
  if (runner.paused) return { why: "the runner is paused" };
  if (runner.banned) return { why: "GitLab refuses its token" };
  if (input.isBehind) return { why: "claimed jobs wait to be handed over" };
  const shared = sharedObstacle(input.open);
  if (shared !== undefined) return { why: `${obstacleText[shared]}, and claimed jobs wait for it` };
  const spent = overspent(input, runner);
  if (spent !== undefined) return { why: spent };
  if (use.requestsOf(name) >= runner.requestConcurrency) {
    return { why: "its requests are under way" };
  }
  if (runner.limit > 0 && use.jobsOf(name) + use.requestsOf(name) >= runner.limit) {
    return { why: `its limit of ${runner.limit} jobs is reached` };
  }
  const budgets = [
    { vcpu: runner.vcpuBudget, jobs: use.unitsOf(name), requests: use.askedUnitsOf(name) },
    { vcpu: input.vcpuBudget, jobs: use.allUnits(), requests: use.allAskedUnits() },
  ];
  for (const [index, { vcpu, jobs, requests }] of budgets.entries()) {
    const free = vcpu * unitsPerVcpu - jobs;
    if (vcpu === 0 || free - requests >= usualCpuUnits) continue;
    const whose = index === 0 ? "its" : "the environment's";
    return {
      why: `${whose} budget of ${vcpu} vCPU is used up`,
      byRequests: index === 1 && free >= usualCpuUnits,
    };
  }
  return undefined;
}

/** A job that waits for room of its own kind of capacity takes its place, and keeps nobody else from asking. */
function sharedObstacle(open: readonly OpenJob[]): Obstacle | undefined {
  return open
    .map(({ obstacle }) => obstacle)
    .find((one) => one !== undefined && meetsEveryJob(one));
}

function overspent(input: RoomInput, runner: RoomRunner): string | undefined {
  const own = input.usedMinutes.get(runner.name) ?? 0;
  if (runner.dailyVcpuMinutes > 0 && own >= runner.dailyVcpuMinutes) {
    return `its ${runner.dailyVcpuMinutes} vCPU minutes of this day are used up`;
  }
  let all = 0;
  for (const minutes of input.usedMinutes.values()) all += minutes;
  if (input.dailyVcpuMinutes > 0 && all >= input.dailyVcpuMinutes) {
    return `the environment's ${input.dailyVcpuMinutes} vCPU minutes of this day are used up`;
  }
  return undefined;
}

interface Use {
  ask(runner: string, cpuUnits: number): void;
  jobsOf(runner: string): number;
  requestsOf(runner: string): number;
  unitsOf(runner: string): number;
  askedUnitsOf(runner: string): number;
  allUnits(): number;
  allAskedUnits(): number;
}

function useOf(input: RoomInput): Use {
  const jobs = new Map<string, { count: number; units: number }>();
  const requests = new Map<string, { count: number; units: number }>();
  const all = { jobs: 0, requests: 0 };
  const add = (map: typeof jobs, runner: string, count: number, units: number) => {
    const known = map.get(runner) ?? { count: 0, units: 0 };
    map.set(runner, { count: known.count + count, units: known.units + units });
  };
  for (const { runner, cpuUnits } of input.open) {
    add(jobs, runner, 1, cpuUnits);
    all.jobs += cpuUnits;
  }
  const usual = new Map(input.runners.map(({ name, usualCpuUnits }) => [name, usualCpuUnits]));
  for (const [runner, count] of input.inFlight) {
    const units = count * (usual.get(runner) ?? unitsPerVcpu);
    add(requests, runner, count, units);
    all.requests += units;
  }
  return {
    ask(runner, cpuUnits) {
      add(requests, runner, 1, cpuUnits);
      all.requests += cpuUnits;
    },
    jobsOf: (runner) => jobs.get(runner)?.count ?? 0,
    requestsOf: (runner) => requests.get(runner)?.count ?? 0,
    unitsOf: (runner) => jobs.get(runner)?.units ?? 0,
    askedUnitsOf: (runner) => requests.get(runner)?.units ?? 0,
    allUnits: () => all.jobs,
    allAskedUnits: () => all.requests,
  };
}

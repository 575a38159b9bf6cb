// Three hundred jobs, and trouble drawn at every call: AWS errs, throttles, has no room, loses answers; functions die
// between any two calls; Spot is taken back; agents die anywhere; events come twice, late, or never; GitLab errs and
// cuts; users cancel. In the end each job has one end, no script began twice unasked, and nothing is left.
// BURST_CHAOS_SEED repeats the draws (not the machine's own timing), BURST_CHAOS_JOBS changes how many, and
// BURST_CHAOS_TROUBLE=3 makes all of it three times as likely.

import { expect, test } from "vitest";
import { startStandIn } from "../../src/stand-in/start.ts";
import type { StandIn } from "../../src/stand-in/stand-in.ts";
import { seededChance } from "../fakes/chance.ts";
import { createClock } from "../fakes/clock.ts";
import type { Clock } from "../fakes/clock.ts";
import type { AwsRequest } from "../fakes/request.ts";
import { createChaosAgents } from "./chaos-agent.ts";
import { startOneProcess, variables } from "./one-process.ts";
import type { OneProcess } from "./one-process.ts";
import { jobImage } from "./world.ts";

const seed = Number(process.env["BURST_CHAOS_SEED"] ?? Math.floor(Math.random() * 1e9));
const count = Number(process.env["BURST_CHAOS_JOBS"] ?? 300);
const trouble = Number(process.env["BURST_CHAOS_TROUBLE"] ?? 1);

const ended = new Set(["success", "failed", "canceled"]);
const minute = 60_000;
/** What chaos finds is a bug, also where a second try does not find it. */
const once = { timeout: 300_000, retry: 0 };

test(`${count} jobs in trouble of every kind, seed ${seed}`, once, async () => {
  process.stdout.write(`chaos: BURST_CHAOS_SEED=${seed}\n`);
  const chance = seededChance(seed);
  const clock = createClock();
  const risks = troubled({ death: 0.004, lost: 0.1, late: 0.1, twice: 0.1 });
  const agentRisks = troubled({ kill: 0.015, spot: 0.03, hang: 0.003, pull: 0.02 });
  const standIn = { ahead: 0 };
  const gitlab = await startStandIn({
    longPollSeconds: 1,
    now: () => Date.now() + standIn.ahead,
    rateLimits: {},
  });
  const finals = new Map<number, string[]>();
  gitlab.listen((event) => {
    if (event.kind !== "job" || !ended.has(event.status)) return;
    finals.set(event.job.id, [...(finals.get(event.job.id) ?? []), event.status]);
  });
  const agents = createChaosAgents({
    chance,
    risks: agentRisks,
    ecs: () => aws.ecs,
    endpoint: () => aws.front.url,
    now: clock.now,
  });
  const aws = await startOneProcess({
    clock,
    chance,
    risks,
    play: agents.play,
    ecs: { vcpuQuota: { FARGATE: 40, FARGATE_SPOT: 20 } },
  });
  try {
    settings(aws, gitlab);
    const jobs = await enqueue(gitlab, chance);
    addFaults(aws, chance);
    await storm({ aws, gitlab, clock, chance, jobs: jobs.map(({ id }) => id) });

    aws.front.clearFaults();
    gitlab.clearFaults();
    Object.assign(risks, { death: 0, lost: 0, late: 0, twice: 0 });
    Object.assign(agentRisks, { kill: 0, spot: 0, hang: 0, pull: 0 });
    await calm(aws, clock);

    const recorded = aws.claimed;
    const forgotten = jobs.filter(
      ({ id }) => recorded.has(id) && !ended.has(gitlab.job(id).status),
    );
    expect(forgotten.map(({ id }) => [id, gitlab.job(id).status])).toEqual([]);
    // A 201 that nobody heard, or whose poller died with it: that is GitLab's own to end.
    standIn.ahead = 3 * 60 * minute;
    gitlab.tick();

    const wrong: string[] = [];
    for (const { id, mayRerun } of jobs) {
      const { status } = gitlab.job(id);
      const { begun, results } = agents.done.get(id) ?? { begun: [], results: [] };
      const ends = finals.get(id) ?? [];
      if (ends.length !== 1) wrong.push(`job ${id} has ended ${ends.length} times: ${ends.join()}`);
      if (begun.length > 1 && !mayRerun) {
        wrong.push(
          `the script of job ${id} began ${begun.length} times:\n  ${storyOf(aws, begun, id)}`,
        );
      }
      if (status === "success" && !results.includes("success")) {
        wrong.push(`job ${id} is green, and no agent said so`);
      }
    }
    expect(wrong).toEqual([]);
    expect(leftovers(aws)).toEqual({ objects: [], secrets: [], tasks: [], definitions: [] });
    expect(agents.troubles).toEqual([]);
    report({ aws, gitlab, finals, jobs: jobs.map(({ id }) => id), recorded });
  } finally {
    await agents.close();
    await aws.close();
    await gitlab.close();
  }
});

/** More of it, but never for certain. */
function troubled<Risks extends Readonly<Record<string, number>>>(risks: Risks): Risks {
  const entries = Object.entries(risks).map(([name, risk]) => [
    name,
    Math.min(risk * trouble, 0.8),
  ]);
  return Object.fromEntries(entries) as Risks;
}

function settings({ memory }: OneProcess, gitlab: StandIn): void {
  const at = variables.BURST_PARAMETERS;
  memory.putParameter(`${at}/settings`, JSON.stringify({ vcpu_budget: 60 }));
  for (const [name, own] of Object.entries({ spot: { capacity: "spot" }, plain: {} })) {
    const text = JSON.stringify({
      url: gitlab.url,
      check_interval: 0,
      limit: 40,
      request_concurrency: 4,
      ...own,
    });
    memory.putParameter(`${at}/runners/${name}/settings`, text);
    memory.putParameter(`${at}/runners/${name}/token`, gitlab.runnerToken, true);
  }
}

async function enqueue(gitlab: StandIn, chance: () => number) {
  await gitlab.addFiles("raw", { "a.txt": "a\n" });
  const jobs: { id: number; mayRerun: boolean }[] = [];
  for (let number = 0; number < count; number++) {
    const mayRerun = chance() < 0.15;
    const hasLogin = chance() < 0.06;
    const isTooLarge = chance() < 0.02;
    const image = hasLogin ? "registry.example.com/a/b:1" : `busybox:${Math.floor(chance() * 4)}`;
    const { id } = await gitlab.enqueue({
      image: jobImage(image),
      variables: {
        GIT_STRATEGY: "none",
        ...(mayRerun ? { BURST_RERUN_ON_LOSS: "true" } : {}),
        ...(isTooLarge ? { BURST_CPU: "64" } : {}),
      },
      ...(hasLogin ? { payload: { credentials: [login(number)] } } : {}),
    });
    jobs.push({ id, mayRerun });
  }
  return jobs;
}

function login(number: number) {
  const password = `a-job-token-${number}`;
  return { type: "registry", url: "registry.example.com", username: "gitlab-ci-token", password };
}

/** Every call of anybody: functions, agents, ECS's own reading of files. */
function addFaults({ front, ecs }: OneProcess, chance: () => number): void {
  const drawn = (risk: number) => () => chance() < risk;
  const always = { count: Number.POSITIVE_INFINITY };
  const throttled = { s3: "SlowDown", lambda: "TooManyRequestsException" } as const;
  front.addFault({ when: drawn(0.008), do: { kind: "drop-answer" }, ...always });
  front.addFault({ when: drawn(0.004), do: { kind: "cut" }, ...always });
  front.addFault({ when: drawn(0.008), do: { kind: "fail", status: 500 }, ...always });
  front.addFault({
    when: ({ service }) => service === "s3" && chance() < 0.008,
    do: { kind: "fail", status: 503, type: throttled.s3 },
    ...always,
  });
  front.addFault({
    when: ({ service }) => service === "lambda" && chance() < 0.02,
    do: { kind: "fail", status: 429, type: throttled.lambda },
    ...always,
  });
  front.addFault({
    when: ({ service }: AwsRequest) => !["s3", "lambda"].includes(service) && chance() < 0.02,
    do: { kind: "fail", status: 400, type: "ThrottlingException" },
    ...always,
  });
  ecs.setShortage(({ capacityProvider }) => {
    const draw = chance();
    if (draw < trouble * (capacityProvider === "FARGATE_SPOT" ? 0.15 : 0.03)) return "capacity";
    if (draw > 0.98) return "quota";
    return draw > 0.97 ? "no-address" : undefined;
  });
}

interface Storm {
  readonly aws: OneProcess;
  readonly gitlab: StandIn;
  readonly clock: Clock;
  readonly chance: () => number;
  readonly jobs: readonly number[];
}

/** Until all jobs have been claimed and most are over. */
async function storm({ aws, gitlab, clock, chance, jobs }: Storm): Promise<void> {
  let over = false;
  let lives = 0;
  const poller = async () => {
    while (!over) {
      await aws.poll(`poller-${++lives}`);
      await pause(10);
    }
  };
  const sweeper = async () => {
    while (!over) {
      const next = clock.now() + 3 * minute;
      while (!over && clock.now() < next) await pause(20);
      await aws.sweep();
    }
  };
  // Two at once: one of them has the lease.
  const doors = [poller(), poller(), sweeper()];
  const latest = performance.now() + 120_000;
  const inState = (status: string) => jobs.filter((id) => gitlab.job(id).status === status);
  let running = inState("running");
  let calmAt = Number.POSITIVE_INFINITY;
  for (let round = 0; performance.now() < Math.min(latest, calmAt); round++) {
    await pause(25);
    await aws.advance(200 + chance() * 1500);
    if (chance() < 0.15) gitlab.addFault(gitLabFault(chance));
    if (running.length > 0 && chance() < 0.06) {
      gitlab.cancel(running[Math.floor(chance() * running.length)] ?? 0);
    }
    if (round % 4 !== 0) continue;
    running = inState("running");
    // The last ones get their share of trouble too.
    if (inState("pending").length === 0) calmAt = Math.min(calmAt, performance.now() + 5000);
  }
  over = true;
  // Their lives end by the clock.
  const rest = Promise.allSettled(doors).then(() => "done" as const);
  while ((await Promise.race([rest, pause(30)])) !== "done") await aws.advance(5000);
  expect(inState("pending"), "jobs that nobody took in time").toEqual([]);
}

function gitLabFault(chance: () => number) {
  const matches = [
    "PUT /api/v4/jobs/*",
    "PATCH /api/v4/jobs/*/trace",
    "POST /api/v4/jobs/request",
  ] as const;
  const match = matches[Math.floor(chance() * matches.length)] ?? matches[0];
  // A job whose 201 is cut is lost to everybody but GitLab: a few of those will do.
  const isCut = chance() < (match === matches[2] ? 0.05 : 0.4);
  return {
    match,
    times: 1 + Math.floor(chance() * 4),
    ...(isCut ? { cut_after_bytes: 0 } : { status: chance() < 0.5 ? 500 : 503 }),
  };
}

/** Faults are over; the sweeper comes by, and days pass. */
async function calm(aws: OneProcess, clock: Clock): Promise<void> {
  const claims = () =>
    [...aws.memory.objects.keys()].filter((key) => key.includes("/claims/")).length;
  await aws.settled();
  for (let round = 0; round < 60 && claims() > 0; round++) {
    await clock.advance(3 * minute);
    await aws.sweep();
    await aws.settled();
    await pause(30);
  }
  for (const wait of [20 * minute, 20 * minute, 4 * 24 * 60 * minute]) {
    await clock.advance(wait);
    await aws.settled();
    await aws.sweep();
    await aws.settled();
  }
}

/** How a job came to what it came to: for whoever reads that something went wrong. */
function storyOf({ ecs, phases }: OneProcess, begun: readonly string[], id: number): string {
  const tasks = [...ecs.tasks.values()]
    .filter(({ request: { tags = [] } }) =>
      tags.some(({ key, value }) => key === "job" && value === `${id}`),
    )
    .map(
      ({ id: taskId, capacityProvider, createdAt, startedAt = 0, stoppedAt = 0 }) =>
        `task ${taskId.slice(0, 8)} of ${capacityProvider}: created ${createdAt}, started ${startedAt}, stopped ${stoppedAt}`,
    );
  return [...(phases.get(id) ?? []), ...tasks, ...begun].join("\n  ");
}

function leftovers({ memory, ecs }: OneProcess) {
  return {
    objects: [...memory.objects.keys()].filter((key) => !key.endsWith("/poller/lease.json")),
    secrets: [...memory.secrets.keys()],
    tasks: [...ecs.tasks.values()]
      .filter(({ lastStatus }) => lastStatus !== "STOPPED")
      .map(({ arn }) => arn),
    // Those of jobs with a login of their own.
    definitions: ecs.definitions
      .list({ status: "ACTIVE" })
      .filter(({ containerDefinitions = [] }) =>
        containerDefinitions.some(({ repositoryCredentials }) => repositoryCredentials),
      )
      .map(({ family }) => family),
  };
}

function report(seen: {
  readonly aws: OneProcess;
  readonly gitlab: StandIn;
  readonly finals: ReadonlyMap<number, readonly string[]>;
  readonly jobs: readonly number[];
  readonly recorded: ReadonlySet<number>;
}): void {
  const { aws, gitlab, jobs, recorded } = seen;
  const lost = jobs.filter((id) => !recorded.has(id) && gitlab.job(id).status === "failed").length;
  const counts: Record<string, number> = {};
  for (const id of jobs) {
    const { status, failureReason = "" } = gitlab.job(id);
    const name = `${status} ${failureReason}`.trim();
    counts[name] = (counts[name] ?? 0) + 1;
  }
  process.stdout.write(
    `chaos: ${JSON.stringify(counts)}, ${aws.ecs.tasks.size} tasks, ${aws.front.requests.length} calls, ` +
      `${JSON.stringify(aws.invocations)}, ${lost} claims lost with their 201\n`,
  );
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

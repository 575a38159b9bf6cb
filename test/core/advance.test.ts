import { expect, test } from "vitest";
import { advance } from "../../src/core/advance.ts";
import type { JobFacts, Observed } from "../../src/core/advance.ts";
import type { ClaimPhase, ClaimRecord } from "../../src/core/claim.ts";
import { ladderOf } from "../../src/core/ladder.ts";
import type { ContainerState, TaskState } from "../../src/core/task-state.ts";

const minute = 60_000;
const now = 1_000 * minute;

const facts: JobFacts = {
  agent: "agent",
  job: "job",
  images: { agent: "a", job: "node:22" },
  pulled: { job: "node:22" },
  memoryMiB: 1792,
  diskGiB: 20,
  rerunOnLoss: false,
  timeoutSeconds: 3600,
  rungs: ladderOf("spot", ["x", "y"]),
  refusal: undefined,
};

const launch = { attempt: 1, rung: 0, try: 0 };
const later = { attempt: 2, rung: 0, try: 0 };
const arn = "task/1";

const phases = {
  claimed: { kind: "claimed" },
  waiting: { kind: "waiting", launch, until: now, since: now - minute, why: "" },
  tooEarly: { kind: "waiting", launch, until: now + minute, since: now - minute, why: "" },
  launching: { kind: "launching", launch, since: now - 1000, waitingSince: now, request: {} },
  throttled: {
    kind: "launching",
    launch,
    since: now - minute,
    waitingSince: now - minute,
    request: {},
    throttled: { times: 3, until: now + 1000 },
  },
  throttledBefore: {
    kind: "launching",
    launch,
    since: now - minute,
    waitingSince: now - minute,
    request: {},
    throttled: { times: 3, until: now },
  },
  launchingForLong: {
    kind: "launching",
    launch,
    since: now - 50 * minute,
    waitingSince: now - 50 * minute,
    request: {},
  },
  running: { kind: "running", launch, since: now - minute, taskArn: arn },
  runningForLong: { kind: "running", launch, since: now - 10 * minute, taskArn: arn },
  fifth: { kind: "running", launch: { ...launch, attempt: 5 }, since: now - minute, taskArn: arn },
  telling: { kind: "telling", verdict: { state: "success", message: "" }, until: now, tries: 0 },
  beingTold: {
    kind: "telling",
    verdict: { state: "success", message: "" },
    until: now + minute,
    tries: 1,
  },
  closing: { kind: "closing", until: 0, taskArn: arn, search: false },
  closingSoon: { kind: "closing", until: now + minute, search: true },
} as const satisfies Record<string, ClaimPhase>;

function task(
  state: Partial<TaskState> = {},
  exits: Readonly<Record<string, number>> = {},
): TaskState {
  return {
    taskArn: arn,
    startedBy: "team/1024/x",
    lastStatus: "RUNNING",
    desiredStatus: "RUNNING",
    stopCode: "",
    stoppedReason: "",
    containers: ["agent", "job"].map((name): ContainerState => ({
      name,
      lastStatus: state.lastStatus ?? "RUNNING",
      exitCode: exits[name],
      reason: "",
    })),
    capacityProvider: "",
    createdAt: undefined,
    pullStartedAt: undefined,
    pullStoppedAt: undefined,
    startedAt: undefined,
    stoppedAt: undefined,
    version: 1,
    ...state,
  };
}

const starting = task({ lastStatus: "PENDING" });
const exited = (agent: number, code = "EssentialContainerExited") =>
  task({ lastStatus: "STOPPED", desiredStatus: "STOPPED", stopCode: code }, { agent });
const other = task({ taskArn: "task/0" });
const success = { kind: "result", result: "success" } as const;
const refusal = { state: "failed", reason: "runner_configuration_error", message: "no" } as const;
const told = (reason: string) => ({ kind: "decide", verdict: { reason } });

interface Sight extends Partial<Omit<Observed, "facts">> {
  readonly facts?: Partial<JobFacts>;
  readonly claimedAt?: number;
}

const table: readonly (readonly [string, keyof typeof phases, Sight, object])[] = [
  ["a claim is announced first", "claimed", { job: "running" }, { kind: "announce", launch }],
  ["a claim that GitLab wants no more is closed", "claimed", { job: "over" }, { kind: "close" }],
  [
    "a claim that is being canceled is told so",
    "claimed",
    { job: "canceling" },
    told("job_canceled"),
  ],
  [
    "a claim that cannot be launched is told why",
    "claimed",
    { facts: { refusal } },
    { kind: "decide", verdict: refusal },
  ],
  [
    "a claim whose runner's settings are wrong waits for them to be corrected",
    "claimed",
    { facts: { refusal, isUnsettled: true } },
    { kind: "wait" },
  ],
  [
    "a claim whose runner's settings stay wrong is told so",
    "claimed",
    { claimedAt: now - 11 * minute, facts: { refusal, isUnsettled: true } },
    { kind: "decide", verdict: refusal },
  ],
  [
    "a job canceled is canceled, though it could not be launched",
    "claimed",
    { job: "over", facts: { refusal } },
    { kind: "close" },
  ],
  [
    "a claim older than its job's time limit is told",
    "claimed",
    { claimedAt: now - 61 * minute },
    told("job_execution_timeout"),
  ],

  ["a launch whose time has come is prepared", "waiting", {}, { kind: "prepare", launch }],
  ["one whose time has not come waits", "tooEarly", {}, { kind: "wait", until: now + minute }],
  ["a cancel ends the wait", "tooEarly", { job: "over" }, { kind: "close" }],
  [
    "a cancel that waits for an answer gets it",
    "tooEarly",
    { job: "canceling" },
    told("job_canceled"),
  ],
  [
    "settings that refuse the job meanwhile end the wait",
    "tooEarly",
    { facts: { refusal } },
    { kind: "decide" },
  ],
  [
    "a wait beyond the job's time limit is told",
    "waiting",
    { claimedAt: now - 61 * minute },
    told("job_execution_timeout"),
  ],

  ["a recorded request is sent, again if need be", "launching", {}, { kind: "run" }],
  [
    "a task that ECS has for it is taken",
    "launching",
    { others: [other] },
    { kind: "adopt", taskArn: "task/0" },
  ],
  [
    "a request that was turned away waits for its time",
    "throttled",
    {},
    { kind: "wait", until: now + 1000 },
  ],
  ["and is sent as it was", "throttledBefore", {}, { kind: "run" }],
  [
    "unless a task of it turns up",
    "throttled",
    { others: [other] },
    { kind: "adopt", taskArn: "task/0" },
  ],
  ["a cancel while it is turned away closes", "throttled", { job: "over" }, { kind: "close" }],
  ["a cancel during the launch closes", "launching", { job: "over" }, { kind: "close" }],
  [
    "a request too old to be repeated is a lost task",
    "launchingForLong",
    { facts: { timeoutSeconds: 36_000 } },
    { kind: "relaunch", launch: later },
  ],
  [
    "which had a result",
    "launchingForLong",
    { result: success },
    { kind: "decide", verdict: { state: "success" } },
  ],
  [
    "or had begun its script",
    "launchingForLong",
    { fence: { attempt: 1 } },
    told("runner_system_failure"),
  ],
  [
    "a refusal by new settings does not stop what may run already",
    "launching",
    { facts: { refusal } },
    { kind: "run" },
  ],

  [
    "a task that runs is left alone",
    "running",
    { task: task() },
    { kind: "wait", until: undefined },
  ],
  [
    "a task that starts is left alone",
    "running",
    { task: starting, job: "running" },
    { kind: "wait", until: undefined },
  ],
  [
    "a cancel while it starts closes",
    "running",
    { task: starting, job: "over" },
    { kind: "close" },
  ],
  [
    "a cancel that waits for an answer, while it starts",
    "running",
    { task: starting, job: "canceling" },
    told("job_canceled"),
  ],
  [
    "an agent that is up does what GitLab says itself",
    "running",
    { task: task(), job: "over" },
    { kind: "wait" },
  ],
  [
    "a task far beyond its time limit is told",
    "running",
    { task: task(), claimedAt: now - 80 * minute },
    told("job_execution_timeout"),
  ],
  [
    "one just beyond it has its grace",
    "running",
    { task: task(), claimedAt: now - 70 * minute },
    { kind: "wait" },
  ],
  [
    "a task that ECS does not show yet is waited for",
    "running",
    {},
    { kind: "wait", until: now + 4 * minute },
  ],
  ["but not for a canceled job", "running", { job: "over" }, { kind: "close" }],
  [
    "a task that ECS never shows is lost",
    "runningForLong",
    {},
    { kind: "relaunch", launch: later, dropFence: false },
  ],
  [
    "or has left its result",
    "runningForLong",
    { result: success },
    { kind: "decide", verdict: { state: "success" } },
  ],
  ["or its fence", "runningForLong", { fence: { attempt: 1 } }, told("runner_system_failure")],
  ["a job that is over is not started again", "runningForLong", { job: "over" }, { kind: "close" }],

  [
    "exit 0: nothing more, close",
    "running",
    { task: exited(0), result: success },
    { kind: "close", result: success },
  ],
  [
    "exit 70 while another has the fence: that one is taken",
    "running",
    { task: exited(70), fence: { attempt: 2 }, others: [other] },
    { kind: "adopt", taskArn: "task/0" },
  ],
  [
    "exit 70 without any fence: again",
    "running",
    { task: exited(70) },
    { kind: "relaunch", launch: later, dropFence: false },
  ],
  [
    "exit 70 at a fence of the same attempt: whose it is cannot be told, so nothing is run again",
    "running",
    { task: exited(70), fence: { attempt: 1 } },
    told("runner_system_failure"),
  ],
  [
    "exit 70 at the fence of one that is gone: its loss",
    "running",
    { task: exited(70), fence: { attempt: 2 } },
    told("runner_system_failure"),
  ],
  [
    "which its job may survive",
    "running",
    { task: exited(70), fence: { attempt: 2 }, facts: { rerunOnLoss: true } },
    { kind: "relaunch", dropFence: true },
  ],
  [
    "exit 70 where a result is left: delivered",
    "running",
    { task: exited(70), fence: { attempt: 2 }, result: success },
    { kind: "decide", verdict: { state: "success" } },
  ],
  [
    "Spot before the fence: the next task",
    "running",
    { task: exited(143, "SpotInterruption") },
    { kind: "relaunch", launch: later, dropFence: false },
  ],
  [
    "Spot after it: told",
    "running",
    { task: exited(72, "SpotInterruption"), fence: { attempt: 1 } },
    told("runner_system_failure"),
  ],
  [
    "Spot after it, for a job that may run again: a new fence",
    "running",
    { task: exited(72, "SpotInterruption"), fence: { attempt: 1 }, facts: { rerunOnLoss: true } },
    { kind: "relaunch", dropFence: true },
  ],
  [
    "no address for the task: the next rung",
    "running",
    {
      task: task({
        lastStatus: "STOPPED",
        stopCode: "TaskFailedToStart",
        stoppedReason: "attempting to Create Network Interface",
      }),
    },
    { kind: "relaunch", launch: { attempt: 2, rung: 1, try: 0 } },
  ],
  [
    "the fifth task that is lost is the last",
    "fifth",
    { task: exited(143, "SpotInterruption") },
    told("runner_system_failure"),
  ],
  [
    "a task lost when the job's time is over",
    "running",
    { task: exited(143, "SpotInterruption"), claimedAt: now - 61 * minute },
    told("job_execution_timeout"),
  ],

  ["what is decided is told", "telling", {}, { kind: "tell", verdict: { state: "success" } }],
  ["by one at a time", "beingTold", {}, { kind: "wait", until: now + minute }],
  [
    "nothing is removed under a task that lives",
    "closing",
    { task: task() },
    { kind: "stop", taskArns: [arn] },
  ],
  [
    "nor under one that is stopping",
    "closing",
    { task: task({ desiredStatus: "STOPPED" }) },
    { kind: "wait", until: now + minute / 2 },
  ],
  [
    "nor under another of the same job",
    "closing",
    { task: exited(0), others: [other] },
    { kind: "stop", taskArns: ["task/0"] },
  ],
  ["then everything goes", "closing", { task: exited(0) }, { kind: "remove" }],
  ["also where ECS has forgotten the task", "closing", {}, { kind: "remove" }],
  [
    "a task that may still turn up is waited for",
    "closingSoon",
    {},
    { kind: "wait", until: now + minute },
  ],
];

test.each(table)("%s", (_, phase, { facts: some, claimedAt, ...sight }, expected) => {
  const claim: ClaimRecord = {
    version: 1,
    id: "team/1024/00000000000000000000000000000000",
    url: "https://gitlab.example.com",
    systemId: "s_0123456789ab",
    jobId: 1,
    token: "t",
    claimedAt: claimedAt ?? now - 2 * minute,
    body: "{}",
    trace: "",
    phase: phases[phase],
    owned: [],
  };
  const observed: Observed = {
    now,
    job: "unasked",
    task: undefined,
    others: [],
    fence: undefined,
    result: undefined,
    facts: { ...facts, ...some },
    ...sight,
  };
  expect(advance(claim, observed)).toMatchObject(expected);
});

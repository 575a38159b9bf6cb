import { expect, test } from "vitest";
import { meaningOf } from "../../src/core/stops.ts";
import type { JobResult, StopFacts, StopMeaning } from "../../src/core/stops.ts";
import type { ContainerState } from "../../src/core/task-state.ts";

const facts: StopFacts = {
  agent: "agent",
  job: "job",
  images: { agent: "example.com/agent:1", job: "node:22", "svc-0-db": "postgres:16" },
  pulled: {
    job: "public.ecr.aws/docker/library/node:22",
    "svc-0-db": "public.ecr.aws/docker/library/postgres:16",
  },
  memoryMiB: 1792,
  diskGiB: 20,
  rerunOnLoss: false,
};

interface Stop {
  readonly code?: string;
  readonly reason?: string;
  /** Exit codes by container; a text is the reason of one that never ran. */
  readonly containers?: Readonly<Record<string, number | string | readonly [number, string]>>;
  readonly started?: boolean;
  readonly rerun?: boolean;
  readonly result?: JobResult;
}

function meaning(stop: Stop): StopMeaning {
  const containers = Object.entries(stop.containers ?? {}).map(([name, end]): ContainerState => {
    const [exitCode, reason] =
      typeof end === "number" ? [end, ""] : typeof end === "string" ? [undefined, end] : end;
    return { name, lastStatus: "STOPPED", exitCode, reason };
  });
  return meaningOf({
    task: {
      stopCode: stop.code ?? "EssentialContainerExited",
      stoppedReason: stop.reason ?? "Essential container in task exited",
      containers,
    },
    facts: { ...facts, rerunOnLoss: stop.rerun ?? false },
    started: stop.started ?? false,
    result: stop.result,
  });
}

const relaunch = { kind: "relaunch", nextRung: false };
const failed = (reason: string, text: RegExp, exitCode?: number) => ({
  kind: "tell",
  verdict: {
    state: "failed",
    reason,
    message: expect.stringMatching(text),
    ...(exitCode === undefined ? {} : { exitCode }),
  },
});
const failure: JobResult = {
  kind: "result",
  result: "failed",
  failureReason: "script_failure",
  exitCode: 3,
};
const system = (text: RegExp) => failed("runner_system_failure", text);
const spot = { code: "SpotInterruption", reason: "Your Spot Task was interrupted." };
const notFound =
  "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref " +
  "public.ecr.aws/docker/library/postgres:16: not found";

const table: readonly (readonly [string, Stop, object])[] = [
  [
    "an agent that GitLab has answered needs nothing more",
    { containers: { agent: 0, job: 0 } },
    { kind: "nothing" },
  ],
  [
    "not even where its job's container was killed for memory",
    {
      containers: {
        agent: 0,
        job: [137, "OutOfMemoryError: Container killed due to memory usage"],
      },
      started: true,
    },
    { kind: "nothing" },
  ],
  [
    "nor where Spot came for a task that was done",
    { ...spot, containers: { agent: 0 } },
    { kind: "nothing" },
  ],
  [
    "an agent that lost the fence leaves the job to whoever has it",
    { containers: { agent: 70 }, started: true },
    { kind: "elsewhere" },
  ],
  [
    "an agent that died after its result has it delivered",
    { containers: { agent: 137 }, started: true, result: failure },
    {
      kind: "tell",
      verdict: { state: "failed", reason: "script_failure", message: "", exitCode: 3 },
    },
  ],
  [
    "a success too",
    { containers: { agent: 1 }, started: true, result: { kind: "result", result: "success" } },
    { kind: "tell", verdict: { state: "success", message: "" } },
  ],
  [
    "a canceled job's result is that it was canceled",
    { containers: { agent: 1 }, started: true, result: { kind: "result", result: "canceled" } },
    { kind: "tell", verdict: { state: "failed", reason: "job_canceled", message: "" } },
  ],
  [
    "a reason that we do not know is unknown",
    { containers: { agent: 1 }, result: { ...failure, failureReason: "moon_phase" } },
    {
      kind: "tell",
      verdict: { state: "failed", reason: "unknown_failure", message: "", exitCode: 3 },
    },
  ],

  [
    "Spot before the fence: again, and nobody need know",
    { ...spot, containers: { agent: 143 } },
    relaunch,
  ],
  ["Spot before anything ran", { ...spot, containers: { agent: "" } }, relaunch],
  [
    "Spot after the fence: told, with what would help",
    { ...spot, containers: { agent: 72 }, started: true },
    system(/Spot capacity back after the job's script had begun.*BURST_RERUN_ON_LOSS/),
  ],
  [
    "Spot after the fence, for a job that may run again",
    { ...spot, containers: { agent: 72 }, started: true, rerun: true },
    relaunch,
  ],
  [
    "Spot as older texts have it",
    { code: "TerminationNotice", reason: "Your Spot Task was interrupted." },
    relaunch,
  ],
  [
    "maintenance before the fence",
    {
      code: "",
      reason: "ECS is performing maintenance on the underlying infrastructure hosting the task.",
    },
    relaunch,
  ],
  [
    "maintenance after it",
    {
      code: "UserInitiated",
      reason: "ECS is performing maintenance on the underlying infrastructure hosting the task.",
      started: true,
    },
    system(/maintenance .* after the job's script/),
  ],
  ["a sick machine before the fence", { code: "InfrastructureHealth", reason: "health" }, relaunch],
  [
    "a sick machine after it",
    { code: "InfrastructureHealth", reason: "health", started: true },
    system(/out of service/),
  ],
  [
    "no address in the subnet: the next rung",
    {
      code: "TaskFailedToStart",
      reason:
        "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment enabled in subnet 'subnet-a': InsufficientFreeAddressesInSubnet",
    },
    { kind: "relaunch", nextRung: true },
  ],
  [
    "room that was gone after the start was accepted",
    {
      code: "TaskFailedToStart",
      reason:
        "Capacity is unavailable at this time. Please try again later or in a different availability zone",
    },
    { kind: "relaunch", nextRung: true },
  ],

  [
    "the job's image that is not there",
    {
      code: "TaskFailedToStart",
      containers: { agent: "", job: "CannotPullContainerError: ref node:22: not found" },
    },
    failed("image_pull_failure", /image node:22 could not be pulled.*name and tag/),
  ],
  [
    "a service's image",
    {
      code: "TaskFailedToStart",
      containers: {
        agent: "",
        job: "",
        "svc-0-db": "CannotPullContainerError: pull access denied",
      },
    },
    failed("image_pull_failure", /image postgres:16 .*DOCKER_AUTH_CONFIG/),
  ],
  [
    "an image that only the task's reason names",
    { code: "TaskFailedToStart", reason: notFound, containers: { agent: "", job: "" } },
    failed("image_pull_failure", /image postgres:16 could not/),
  ],
  [
    "an image that nobody names",
    { code: "TaskFailedToStart", reason: "CannotPullContainerError: The task cannot pull" },
    failed("image_pull_failure", /an image of the job could not/),
  ],
  [
    "a registry's limit",
    {
      code: "TaskFailedToStart",
      containers: { job: "CannotPullContainerError: toomanyrequests: rate limit" },
    },
    failed("image_pull_failure", /registry-auth/),
  ],
  [
    "a registry that is out of reach",
    {
      code: "TaskFailedToStart",
      containers: { job: "CannotPullContainerError: dial tcp 1.2.3.4:443: i/o timeout" },
    },
    failed("image_pull_failure", /subnets have a way/),
  ],
  [
    "a full disk",
    {
      code: "TaskFailedToStart",
      containers: { job: "CannotPullContainerError: write /x: no space left on device" },
    },
    failed("image_pull_failure", /BURST_DISK, such as 40/),
  ],
  [
    "another processor",
    {
      code: "TaskFailedToStart",
      containers: {
        job: "CannotPullContainerError: image Manifest does not match platform linux/arm64",
      },
    },
    failed("image_pull_failure", /BURST_ARCH/),
  ],
  [
    "the agent's own image is nobody's fault but the stack's",
    { code: "TaskFailedToStart", containers: { agent: "CannotPullContainerError: not found" } },
    system(/agent could not be pulled/),
  ],
  [
    "a pull that failed beside an agent that lived",
    { containers: { agent: 71, job: "CannotPullContainerError: not found" } },
    failed("image_pull_failure", /node:22/),
  ],
  [
    "a pull of a container that is not ours",
    {
      containers: {
        agent: 71,
        job: 1,
        "aws-guardduty-agent-x": "CannotPullContainerError: not found",
      },
    },
    failed("runner_configuration_error", /entrypoint/),
  ],

  [
    "out of memory",
    {
      containers: {
        agent: 71,
        job: [137, "OutOfMemoryError: Container killed due to memory usage"],
      },
      started: true,
    },
    failed("script_failure", /1792 MiB; ask for more with BURST_MEMORY, such as 4096M/, 137),
  ],
  [
    "out of memory before the script",
    {
      containers: {
        agent: 71,
        job: [137, "OutOfMemoryError: Container killed due to memory usage"],
      },
    },
    failed("script_failure", /BURST_MEMORY/, 137),
  ],
  [
    "the whole task out of memory",
    {
      reason: "OutOfMemoryError: Container killed due to memory usage",
      containers: { agent: 137, job: 137 },
      started: true,
    },
    failed("script_failure", /BURST_MEMORY/, 137),
  ],
  [
    "the agent out of memory",
    {
      containers: {
        agent: [137, "OutOfMemoryError: Container killed due to memory usage"],
        job: 0,
      },
      started: true,
    },
    system(/with it the runner's agent; ask for more/),
  ],

  [
    "a task that could not be set up",
    {
      code: "TaskFailedToStart",
      reason: "ResourceInitializationError: unable to pull secrets or registry auth",
    },
    system(/could not set the task up: ResourceInitializationError.*execution role/),
  ],
  [
    "an image without a shell",
    {
      containers: {
        agent: 71,
        job: 'CannotStartContainerError: exec: "sh": executable file not found in $PATH',
      },
    },
    failed("runner_configuration_error", /image node:22 has no shell/),
  ],
  [
    "a service without its program",
    {
      containers: {
        agent: 71,
        "svc-0-db": 'CannotStartContainerError: exec: "dbd": executable file not found in $PATH',
      },
    },
    failed("runner_configuration_error", /there is no dbd in it/),
  ],
  [
    "a container that could not be started",
    { containers: { agent: 71, job: "CannotStartContainerError: something else" } },
    system(/image node:22 could not be started/),
  ],
  [
    "a job container that never came",
    { containers: { agent: 71, job: "" } },
    system(/never started: AWS gives no reason/),
  ],
  [
    "a job container that ended by itself before the script",
    { containers: { agent: 71, job: 2 } },
    failed("runner_configuration_error", /exit code 2.*entrypoint/),
  ],
  [
    "a job container that vanished under its script",
    { containers: { agent: 71, job: 1 }, started: true },
    system(/in the middle of the job \(exit code 1\)/),
  ],
  [
    "a job container that was killed",
    { containers: { agent: 71, job: 137 } },
    system(/exit code 137/),
  ],

  ["an agent that died before the fence", { containers: { agent: 137 } }, relaunch],
  [
    "an agent that died after it",
    { containers: { agent: 137 }, started: true },
    system(/agent ended early \(exit code 137\) after/),
  ],
  [
    "an agent that could not deliver and left no result",
    { containers: { agent: 1 }, started: true },
    system(/exit code 1/),
  ],
  ["an agent that was told to stop before the fence", { containers: { agent: 72 } }, relaunch],
  [
    "a task that somebody stopped",
    { code: "UserInitiated", reason: "Task stopped by user", containers: { agent: 143 } },
    system(/stopped by somebody with access to the AWS account/),
  ],
  [
    "a task that could not be started, whatever it was",
    { code: "TaskFailedToStart", reason: "Fargate is moody" },
    system(/could not be started: Fargate is moody/),
  ],
  [
    "a stop that nobody knows yet",
    { code: "SolarFlare", reason: "sun" },
    system(/does not know \(SolarFlare: sun\)/),
  ],
  ["a stop without a word", { code: "", reason: "" }, system(/no stop code/)],
];

test.each(table)("%s", (_, stop, expected) => {
  expect(meaning(stop)).toMatchObject(expected);
});

test("a text of AWS is told in one line, and not for ever", () => {
  const told = meaning({ code: "TaskFailedToStart", reason: `x\n${"y".repeat(2000)}` });
  const message = told.kind === "tell" ? told.verdict.message : "";
  expect(message).not.toContain("\n");
  expect(message.length).toBeLessThan(700);
});

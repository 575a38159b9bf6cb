// Launches that meet trouble, and functions that die: each job still has one task that counts and one end. The tasks
// are simulated; GitLab, the functions and AWS's answers are as in all stories.

import type { Tag } from "@aws-sdk/client-ecs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SimulatedTask } from "../fakes/ecs/simulated.ts";
import { createPaperAgent } from "./paper-agent.ts";
import type { Stage } from "./paper-agent.ts";
import {
  claimsGone,
  endOf,
  isRunTask,
  logOf,
  storyReport,
  taskOf,
  tasksOf,
  until,
} from "./story-report.ts";
import { startWorld } from "./world.ts";
import type { World } from "./world.ts";

let world: World;
/** How far the next agents get; then they go to the end. */
let stages: (Stage | "nowhere")[] = [];
const agent = createPaperAgent(() => ({
  endpoint: world.front.url,
  region: world.deployment.region,
}));
const troubles: unknown[] = [];

function play(task: SimulatedTask) {
  const stage = stages.shift() ?? "end";
  if (stage !== "nowhere") agent.play(task, stage).catch((cause: unknown) => troubles.push(cause));
}

beforeAll(async () => {
  world = await startWorld({
    tasks: play,
    runners: { team: { capacity: "spot" } },
    lambda: { retrySeconds: [0.2, 0.4] },
  });
  world.tick("poller");
  // Registers the definition: what follows is about launches.
  const { id } = await world.enqueue();
  await endOf(world, id, "success");
});

afterAll(() => world?.close());

/** The agent's process is gone, as by SIGKILL, when the test has seen it come this far. */
async function killedAt(stage: Stage, ready: (jobId: number) => Promise<boolean> | boolean) {
  stages = [stage];
  const { id } = await world.enqueue();
  const task = await taskOf(world, id);
  await until(
    `the agent at ${stage}`,
    () => ready(id),
    () => storyReport(world, id),
  );
  return { id, task };
}

const wrote = (name: string) => () =>
  world.front.requests.some(
    ({ method, path, status }) =>
      method === "PUT" && path.includes(`/${name}`) && path.includes("X-Amz-Sig") && status === 200,
  );

test("a launcher that dies after RunTask, before its answer, finds the task that it started", async () => {
  world.front.clearRequests();
  world.front.addFault({ when: isRunTask, do: { kind: "kill-after" } });
  // A job that is over by then is not asked for again.
  stages = ["nowhere"];
  const { id } = await world.enqueue();
  const calls = () => world.front.requests.filter(isRunTask);
  await until(
    "the second call",
    () => calls().length === 2,
    () => storyReport(world, id),
  );
  await agent.play(world.simulated.task((await taskOf(world, id)).arn));
  await endOf(world, id, "success");
  expect(tasksOf(world, id)).toHaveLength(1);
  expect(calls()[1]?.body).toEqual(calls()[0]?.body);
});

test("a launch whose answer is lost is asked for again, word for word, and starts nothing twice", async () => {
  world.front.addFault({ when: isRunTask, do: { kind: "drop-answer" } });
  const { id } = await world.enqueue();
  await endOf(world, id, "success");
  expect(tasksOf(world, id)).toHaveLength(1);
});

test("a throttled launch waits and is tried again, and the job's log says so", async () => {
  const fail = { kind: "fail", status: 400, type: "ThrottlingException" } as const;
  world.front.addFault({ when: isRunTask, do: fail, count: 1000 });
  const { id } = await world.enqueue();
  await until(
    "the job's log to say so",
    () => world.trace(id).includes("Not started yet: AWS asks for fewer starts at once"),
    () => storyReport(world, id),
  );
  world.front.clearFaults();
  await endOf(world, id, "success");
  expect(tasksOf(world, id)).toHaveLength(1);
});

test("a throttle after a lost answer starts nothing twice: the task that was started is found", async () => {
  world.front.clearRequests();
  const fail = { kind: "fail", status: 400, type: "ThrottlingException" } as const;
  world.front.addFault({ when: isRunTask, do: { kind: "drop-answer" } });
  world.front.addFault({ when: isRunTask, do: fail, count: 8 });
  const { id } = await world.enqueue();
  await endOf(world, id, "success");
  world.front.clearFaults();
  expect(tasksOf(world, id)).toHaveLength(1);
  const bodies = world.front.requests
    .filter(isRunTask)
    .map(({ body }) => body as { readonly tags: readonly Tag[] })
    .filter(({ tags }) => tags.some(({ key, value }) => key === "job" && value === String(id)));
  expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
});

test("where Spot has no capacity the task is started on-demand, and the job's log says so", async () => {
  world.ecs.setShortage(({ capacityProvider }) =>
    capacityProvider === "FARGATE_SPOT" ? "capacity" : undefined,
  );
  const { id } = await world.enqueue();
  await endOf(world, id, "success");
  world.ecs.setShortage(() => undefined);
  expect((await taskOf(world, id)).capacityProvider).toBe("FARGATE");
  expect(world.trace(id)).toContain(
    "AWS has no room for it at the moment (Spot); trying on-demand",
  );
});

test("an agent that is killed before the fence is replaced, and nobody hears of it", async () => {
  const { id, task } = await killedAt(
    "fence",
    (jobId) => tasksOf(world, jobId)[0]?.lastStatus === "RUNNING",
  );
  world.simulated.task(task.arn).kill();
  await endOf(world, id, "success");
  expect(tasksOf(world, id)).toHaveLength(2);
  expect(world.trace(id)).not.toMatch(/lost|killed|again/i);
});

test("an agent that is killed behind the fence ends its job: what has begun is not run twice", async () => {
  world.front.clearRequests();
  const { id, task } = await killedAt("script", wrote("started"));
  world.simulated.task(task.arn).kill();
  const ended = await endOf(world, id, "failed");
  expect(ended.failureReason).toBe("runner_system_failure");
  expect(world.trace(id)).toMatch(/Job failed \(system failure\): .*agent/);
  expect(tasksOf(world, id)).toHaveLength(1);
});

test("an agent that is killed after its result has its result told", async () => {
  world.front.clearRequests();
  const { id, task } = await killedAt("result", wrote("result.json"));
  world.simulated.task(task.arn).kill();
  await endOf(world, id, "success");
  expect(tasksOf(world, id)).toHaveLength(1);
});

test("Spot that is lost behind the fence is told with what can be done about it", async () => {
  world.front.clearRequests();
  const { id, task } = await killedAt("script", wrote("started"));
  world.ecs.interrupt(task.arn);
  const ended = await endOf(world, id, "failed");
  expect(ended.failureReason).toBe("runner_system_failure");
  expect(world.trace(id)).toContain(
    "AWS took the task's Spot capacity back after the job's script had begun. A script is not run twice unasked",
  );
  expect(world.trace(id)).toContain('BURST_RERUN_ON_LOSS: "true"');
});

test("a job that allows it is run again when its Spot is lost behind the fence", async () => {
  world.front.clearRequests();
  stages = ["script"];
  const { id } = await world.enqueue({ variables: { BURST_RERUN_ON_LOSS: "true" } });
  const task = await taskOf(world, id);
  await until("the fence", wrote("started"));
  world.ecs.interrupt(task.arn);
  await endOf(world, id, "success");
  expect(tasksOf(world, id)).toHaveLength(2);
});

test("a job that is canceled while its task waits for a machine gives it back, without the sweeper", async () => {
  stages = ["nowhere"];
  const { id } = await world.enqueue();
  const task = await taskOf(world, id);
  await until("the claim to run", () => logOf(world, "launcher").includes(`"job_id":${id}`));
  world.gitlab.cancel(id);
  await until(
    "the task's end",
    () => task.lastStatus === "STOPPED",
    () => storyReport(world, id),
  );
  await endOf(world, id, "canceled");
});

test("nothing is left of any of them, and nothing went wrong unseen", async () => {
  await claimsGone(world);
  expect(await world.leftovers()).toMatchObject({ secrets: [], tasks: [] });
  expect(troubles).toEqual([]);
  expect(await world.failures.receive()).toEqual([]);
});

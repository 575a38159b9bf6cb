// What goes wrong with a task, as its job's reader hears of it: real containers, and the agent as it is.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestContext } from "vitest";
import { claimsGone, endOf, logOf, storyReport, taskOf, tasksOf, until } from "./story-report.ts";
import { jobImage, startWorld } from "./world.ts";
import type { World } from "./world.ts";

let world: World;

beforeAll(async () => {
  world = await startWorld({
    runners: { team: { capacity: "spot" } },
    lambda: { duplicates: 0.3, seed: 4, retrySeconds: [1, 2] },
  });
  world.tick("poller");
});

afterAll(() => world?.close());

const says = (id: number, text: string | RegExp) => () =>
  typeof text === "string" ? world.trace(id).includes(text) : text.test(world.trace(id));

/** A job whose script has begun, and goes on for as long as its test. */
async function begun(
  { onTestFinished }: Pick<TestContext, "onTestFinished">,
  variables: Readonly<Record<string, string>> = {},
) {
  const chatty = "while :; do echo .; sleep 1; done";
  const { id } = await world.enqueue({ script: ["echo begun", chatty], variables });
  onTestFinished(() => {
    if (world.gitlab.job(id).status === "running") world.gitlab.cancel(id);
  });
  await until("the script to begin", says(id, /^begun$/m), () => storyReport(world, id));
  return { id, task: await taskOf(world, id) };
}

test("an image that cannot be pulled fails the job, which says which one and what to see to", async () => {
  const { id } = await world.enqueue({ image: jobImage("example.invalid/no-such:1") });
  const ended = await endOf(world, id, "failed");
  expect(ended.failureReason).toBe("image_pull_failure");
  expect(world.trace(id)).toContain("image example.invalid/no-such:1 could not be pulled: ");
  expect(world.trace(id)).toContain(
    "The registry was not reached: see that the task's subnets have a way to it",
  );
});

test("a job that runs out of memory ends with 137, and hears which size to ask for", async () => {
  const { id } = await world.enqueue({
    script: ["echo begun", "exec tail -c 4000m /dev/zero"],
    variables: { BURST_CPU: "0.25", BURST_MEMORY: "512M" },
  });
  const ended = await endOf(world, id, "failed");
  expect([ended.failureReason, ended.exitCode]).toEqual(["script_failure", 137]);
  expect(world.trace(id)).toContain(
    "for want of memory. The job's limit is 256 MiB: ask for more with BURST_MEMORY, such as 1024M",
  );
});

test("a task that Spot takes back before the script began is started again, and nobody hears of it", async () => {
  const release = world.engine.backEnd.holdPulls((_task, container) => container === "job");
  const { id } = await world.enqueue({ script: ["echo once"] });
  const first = await taskOf(world, id);
  // One that is told before it listens takes all of its stopTimeout.
  await until("the agent to work", says(id, "Getting source"), () => storyReport(world, id));
  world.ecs.interrupt(first.arn);
  release();
  await endOf(world, id, "success");
  expect(tasksOf(world, id)).toHaveLength(2);
  expect(world.trace(id).match(/^once$/gm)).toHaveLength(1);
});

test("an agent that is killed after its result has its result told", async () => {
  const { id } = await world.enqueue({ script: ["echo all-$((1+1))"] });
  world.front.addFault({
    when: ({ method, path, presigned }) =>
      presigned && method === "PUT" && path.includes("/result.json"),
    do: {
      kind: "after",
      run: async () => world.engine.backEnd.kill((await taskOf(world, id)).arn, "agent"),
    },
  });
  await endOf(world, id, "success");
  const [task] = tasksOf(world, id);
  if (task === undefined) throw new Error("no task");
  // What the agent had not yet sent to GitLab is where everything is.
  await world.engine.backEnd.gone(task.arn);
  expect((await world.logLines(task, "agent")).join("\n")).toContain("all-2");
  expect(task.containers.find(({ name }) => name === "agent")?.exitCode).toBe(137);
});

test.concurrent("Spot that is lost behind the fence ends the job, with what can be done about it", async (context) => {
  const { id, task } = await begun(context);
  world.ecs.interrupt(task.arn);
  const ended = await endOf(world, id, "failed");
  expect(ended.failureReason).toBe("runner_system_failure");
  expect(world.trace(id)).toContain("A script is not run twice unasked");
  expect(tasksOf(world, id)).toHaveLength(1);
});

test.concurrent("a job that allows it is run again when its Spot is lost behind the fence", async (context) => {
  const { id, task } = await begun(context, { BURST_RERUN_ON_LOSS: "true" });
  world.ecs.interrupt(task.arn);
  const second = await taskOf(world, id, 2);
  await until(
    "the script to begin again",
    () => (world.trace(id).match(/^begun$/gm) ?? []).length === 2,
    () => storyReport(world, id),
  );
  world.gitlab.cancel(id);
  await until("the task's end", () => second.lastStatus === "STOPPED");
});

test.concurrent("an agent that is killed behind the fence ends its job", async (context) => {
  const { id, task } = await begun(context);
  await world.engine.backEnd.kill(task.arn, "agent");
  const ended = await endOf(world, id, "failed");
  expect(ended.failureReason).toBe("runner_system_failure");
  expect(world.trace(id)).toMatch(/Job failed \(system failure\): .*agent/);
  await until("the task's end", () => task.lastStatus === "STOPPED");
});

test("a cancel on GitLab frees the task of a job that runs", async (context) => {
  const { id, task } = await begun(context);
  world.gitlab.cancel(id);
  await until(
    "the task's end",
    () => task.lastStatus === "STOPPED",
    () => storyReport(world, id),
  );
  expect(world.gitlab.job(id).status).toBe("canceled");
});

test("a cancel on GitLab frees the task of a job whose image is still being pulled", async () => {
  const release = world.engine.backEnd.holdPulls(
    ({ request }, container) =>
      container === "job" && (request.tags ?? []).some(({ value }) => value === "held"),
  );
  const { id } = await world.enqueue({ name: "held", script: ["echo never"] });
  const task = await taskOf(world, id);
  await until("the agent to work", says(id, "Getting source"), () => storyReport(world, id));
  world.gitlab.cancel(id);
  await until(
    "the task's end",
    () => task.lastStatus === "STOPPED",
    () => storyReport(world, id),
  );
  release();
  expect(world.gitlab.job(id).status).toBe("canceled");
  expect(world.trace(id)).not.toContain("never\n");
});

test("nothing is left of jobs that are over, and no event was given up", async () => {
  await claimsGone(world);
  expect(await world.leftovers()).toMatchObject({ secrets: [], tasks: [] });
  expect(await world.failures.receive()).toEqual([]);
  expect(logOf(world, "launcher")).not.toContain('"level":"ERROR"');
});

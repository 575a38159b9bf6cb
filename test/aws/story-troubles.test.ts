// What goes wrong with a task, as its job's reader hears of it.

import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../harness/containers.ts";
import { jobImage, startWorld } from "./world.ts";
import type { World } from "./world.ts";

let world: World;

beforeAll(async () => {
  world = await startWorld({ lambda: { duplicates: 0.3, seed: 4, retrySeconds: [1, 2] } });
  world.tick("poller");
});

afterAll(() => world?.close());

/** The last task that was started for the job. */
async function taskOf(jobId: number) {
  const find = () =>
    world
      .tasks()
      .findLast(({ request }) => (request.tags ?? []).some(({ value }) => value === String(jobId)));
  await until(`a task of job ${jobId}`, () => find() !== undefined);
  const task = find();
  if (task === undefined) throw new Error("no task");
  return task;
}

test("an image that cannot be pulled fails the job, which says so", async () => {
  const { id } = await world.enqueue({ image: jobImage("example.invalid/no-such:1") });
  expect(await world.finished(id)).toMatchObject({ status: "failed" });
  expect(world.trace(id)).toContain("example.invalid/no-such:1");
});

test("a task that Spot takes back before the script began is started again, and nobody hears of it", async () => {
  const release = world.engine.backEnd.holdPulls((_task, container) => container === "job");
  const { id } = await world.enqueue({ script: ["echo once"] });
  const first = await taskOf(id);
  // One that is told before it listens takes all of its stopTimeout.
  await until("the agent to work", () => world.trace(id).includes("Getting source"));
  world.ecs.interrupt(first.arn);
  release();
  expect(await world.finished(id)).toMatchObject({ status: "success" });
  expect((await taskOf(id)).arn).not.toBe(first.arn);
  expect(world.trace(id).match(/^once$/gm)).toHaveLength(1);
});

test("a cancel on GitLab frees the task", async () => {
  const { id } = await world.enqueue({ script: ["echo begun", "sleep 1000"] });
  await until("the script to begin", () => /^begun$/m.test(world.trace(id)));
  const task = await taskOf(id);
  world.gitlab.cancel(id);
  await until("the task's end", () => task.lastStatus === "STOPPED");
  expect(world.gitlab.job(id).status).toBe("canceled");
});

test("nothing is left of jobs that are over", async () => {
  await until("the claims to go", async () => {
    const { objects } = await world.leftovers();
    return objects.every((key) => !/^(claims|jobs)\//.test(key));
  });
  expect(await world.leftovers()).toMatchObject({ secrets: [], tasks: [] });
});

// The story's beginning: a job from GitLab to green in containers of its own, through the functions as they are built.

import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorld } from "./world.ts";
import type { World } from "./world.ts";

let world: World;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world?.close());

test("a job is claimed, launched, run in containers, and green on GitLab, its masked log in CloudWatch", async () => {
  const job = await world.enqueue({
    script: ["echo in-$((40+2)) $PASSWORD"],
    variables: [variable("PASSWORD", "not-to-be-seen", true), variable("GIT_STRATEGY", "none")],
  });
  world.tick("poller");
  const ended = await world.finished(job.id).catch((cause: unknown) => {
    throw new Error(report(world, job.id), { cause });
  });
  expect(world.trace(job.id)).toContain("in-42 [MASKED]");
  if (ended.status !== "success") throw new Error(report(world, job.id));
  const [task] = world.tasks();
  if (task === undefined) throw new Error("no task");
  await world.engine.backEnd.gone(task.arn);
  const lines = await world.logLines(task, "agent");
  expect(lines.join("\n")).toContain("in-42 [MASKED]");
  expect(lines.join("\n")).not.toContain("not-to-be-seen");
});

function variable(key: string, value: string, masked = false) {
  return { key, value, public: !masked, masked, file: false, raw: false };
}

function report({ trace, lambda, deployment, tasks }: World, jobId: number): string {
  const logs = Object.values(deployment.functions).map(
    ({ name }) => `== ${name}\n${lambda.log(name).slice(-3000)}`,
  );
  const stopped = tasks().map((task) => JSON.stringify(task.containers) + task.stoppedReason);
  return [trace(jobId), ...logs, ...stopped].join("\n");
}

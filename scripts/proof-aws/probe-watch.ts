// Looking at a probe's task until it has stopped, and reading what it has said.

import { DescribeTasksCommand } from "@aws-sdk/client-ecs";
import type { Task } from "@aws-sdk/client-ecs";
import { readTask } from "../../src/aws/task-reading.ts";
import type { ProbeWorld } from "./world.ts";

export async function describe({ ecs, environment }: ProbeWorld, taskArn: string) {
  const answer = await ecs.send(
    new DescribeTasksCommand({ cluster: environment.BURST_CLUSTER, tasks: [taskArn] }),
  );
  return answer.tasks?.[0];
}

export async function waitForEnd(world: ProbeWorld, taskArn: string) {
  let raw: Task | undefined;
  const isOver = await until(
    world,
    async () => {
      raw = (await describe(world, taskArn)) ?? raw;
      return raw?.lastStatus === "STOPPED";
    },
    12 * 60_000,
  );
  if (!isOver || raw === undefined) throw new Error("the task has not stopped within 12 minutes");
  return { task: readTask(raw), raw };
}

export async function stopWhenUp(world: ProbeWorld, taskArn: string): Promise<void> {
  await until(
    world,
    async () => (await describe(world, taskArn))?.lastStatus === "RUNNING",
    5 * 60_000,
  );
  await world.sleep(5000);
  await world.tasks.stop(taskArn, "As the proof wants it");
}

export async function readLines(world: ProbeWorld, stream: string): Promise<readonly string[]> {
  const { logs, undo, aws, environment } = world;
  // The last lines take their time to CloudWatch.
  await world.sleep(10_000);
  const all: string[] = [];
  let from: string | undefined;
  for (;;) {
    const { lines, next } = await logs.read(stream, from);
    all.push(...lines.map(({ text }) => text));
    if (next === undefined || next === from) break;
    from = next;
  }
  if (all.length > 0) {
    undo.add(`log stream ${stream}`, () =>
      aws("logs delete-log-stream", {
        "log-group-name": environment.BURST_LOG_GROUP,
        "log-stream-name": stream,
      }),
    );
  }
  return all;
}

export async function until(
  { now, sleep }: Pick<ProbeWorld, "now" | "sleep">,
  look: () => Promise<boolean>,
  patienceMilliseconds: number,
): Promise<boolean> {
  const end = now() + patienceMilliseconds;
  while (now() < end) {
    if (await look()) return true;
    await sleep(2000);
  }
  return false;
}

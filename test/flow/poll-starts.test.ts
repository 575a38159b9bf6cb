import { expect, test } from "vitest";
import type { PolledClaim } from "../../src/core/poll-due.ts";
import type { TaskState } from "../../src/core/task-state.ts";
import { pollStarts } from "../../src/flow/poll-starts.ts";

const launch = { attempt: 1, rung: 0, try: 0 };

function watching(count: number) {
  const tasks = new Map<string, TaskState>();
  const visits: string[] = [];
  const warnings: string[] = [];
  const described: number[] = [];
  let [time, isDown] = [1_000_000, false];
  const quiet = () => undefined;
  const starts = pollStarts(
    {
      now: () => time,
      logger: { info: quiet, warn: (message) => warnings.push(message), error: quiet },
      tasks: {
        describe(arns) {
          described.push(arns.length);
          if (isDown) return Promise.reject(new Error("Rate exceeded"));
          return Promise.resolve(arns.flatMap((arn) => tasks.get(arn) ?? []));
        },
      },
    },
    (claim) => visits.push(claim),
  );
  const claims = Array.from({ length: count }, (_, index): PolledClaim => {
    const taskArn = `task/${index}`;
    tasks.set(taskArn, taskIn(taskArn, "PENDING", "PENDING"));
    const phase = { kind: "running", launch, since: time, taskArn } as const;
    return { name: `claim-${index}`, runner: "a", cpuUnits: 1024, claimedAt: time, phase };
  });
  return {
    tasks,
    visits,
    warnings,
    described,
    claims,
    down: (value: boolean) => (isDown = value),
    async look(afterMs: number, some: readonly PolledClaim[] = claims) {
      time += afterMs;
      visits.length = 0;
      starts.run(some);
      starts.run(some);
      await starts.settled();
      return [...visits];
    },
  };
}

function taskIn(taskArn: string, lastStatus: string, agent: string): TaskState {
  return {
    taskArn,
    startedBy: "",
    lastStatus,
    desiredStatus: "RUNNING",
    stopCode: "",
    stoppedReason: "",
    containers: [{ name: "agent", lastStatus: agent, exitCode: undefined, reason: "" }],
    capacityProvider: "FARGATE",
    createdAt: undefined,
    pullStartedAt: undefined,
    pullStoppedAt: undefined,
    startedAt: undefined,
    stoppedAt: undefined,
    version: 1,
  };
}

test("a task that has not come up is visited every ten seconds, until its agent is up or it has ended", async () => {
  const it = watching(3);
  expect(await it.look(9000)).toEqual([]);
  expect(await it.look(1000)).toEqual(["claim-0", "claim-1", "claim-2"]);
  expect(await it.look(5000)).toEqual([]);
  it.tasks.set("task/0", taskIn("task/0", "ACTIVATING", "RUNNING"));
  it.tasks.set("task/1", taskIn("task/1", "STOPPED", "STOPPED"));
  it.tasks.delete("task/2");
  expect(await it.look(5000)).toEqual([]);
  it.tasks.set("task/2", taskIn("task/2", "PROVISIONING", "PENDING"));
  expect(await it.look(10_000)).toEqual(["claim-2"]);
  expect(it.described).toEqual([3, 3, 1]);
});

test("ten at a time, the least lately visited first", async () => {
  const it = watching(25);
  const seen = [await it.look(10_000), await it.look(10_000), await it.look(10_000)];
  expect(seen.map(({ length }) => length)).toEqual([10, 10, 10]);
  expect(new Set(seen.flat()).size).toBe(25);
});

test("claims that are in no task are none of its business, and it asks for nothing where there are none", async () => {
  const it = watching(1);
  const claimed = it.claims.map((claim) => ({ ...claim, phase: { kind: "claimed" } as const }));
  expect(await it.look(60_000, claimed)).toEqual([]);
  expect(it.described).toEqual([]);
});

test("an ECS that does not answer is asked again, and nothing else suffers", async () => {
  const it = watching(1);
  it.down(true);
  expect(await it.look(10_000)).toEqual([]);
  expect(it.warnings).toEqual(["Tasks that start could not be looked at; tried again soon"]);
  it.down(false);
  expect(await it.look(10_000)).toEqual(["claim-0"]);
});

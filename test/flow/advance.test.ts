import { expect, test } from "vitest";
import { stateKeys } from "../../src/core/state-keys.ts";
import { advancing } from "./advancing.ts";
import { container } from "./memory-tasks.ts";

const image = { image: { name: "node:22" } };
const services = [{ name: "postgres:16", alias: "db" }];
const waitingForTask = { kind: "waiting", phase: "running", until: undefined };

test("a claim is announced in the job's log, launched, run, and gone when its agent has told GitLab", async () => {
  const it = await advancing({ job: { payload: { ...image, services } } });
  expect(await it.visit()).toEqual(waitingForTask);
  expect(it.trace()).toContain(
    "Starting a task on Fargate with 1 vCPU and 2 GB, 20 GB disk, x86_64, on-demand",
  );
  expect(it.trace()).toContain("Image node:22, taken from public.ecr.aws/docker/library/node:22");
  expect(it.trace()).toContain("Service postgres:16");
  expect(it.trace()).toBe(it.claim()?.trace);
  const agent = it.agent();
  expect(agent.handOff.task?.trace).toBe(it.trace());
  agent.up();
  expect(await agent.fence()).toBe(true);
  await agent.result({ result: "success" });
  await agent.tell("success");
  await it.visit(it.stop({}, { agent: 0, job: 0 }));
  expect(it.job().status).toBe("success");
  expect([...it.objects.contents]).toEqual([]);
  expect(it.metrics).toMatchObject({ LaunchedTasks: 1, FinishedJobs: 1, StartSeconds: 0 });
  // Parameter Store is asked once a visit, whatever the visit does.
  expect(it.looks).toEqual(["team", "team"]);
});

test("a task that starts or runs changes nothing, whoever comes by", async () => {
  const it = await advancing();
  await it.visit();
  const before = it.claim();
  await it.visit();
  it.agent().up();
  await it.visit();
  expect(it.claim()).toEqual(before);
  expect(it.tasks.requests).toHaveLength(2);
});

test("a definition is registered once for all jobs that need the same", async () => {
  const it = await advancing();
  await it.visit();
  expect(it.tasks.requests.map(({ taskDefinition }) => taskDefinition)).toEqual(
    Array.from({ length: 2 }, () => [...it.tasks.definitions.keys()][0]),
  );
});

test("C36 a job that is canceled before anybody began is dropped, and no task is started", async () => {
  const it = await advancing();
  it.gitlab.cancel(it.jobId);
  await it.visit();
  expect(it.job().status).toBe("canceled");
  expect([it.phase(), it.tasks.requests.length]).toEqual(["gone", 0]);
});

test("a cancel while the task waits for room ends the wait", async () => {
  const it = await advancing();
  it.tasks.answers.push(
    ...Array.from({ length: 3 }, () => ({ kind: "no-capacity", message: "none" }) as const),
  );
  await it.visit();
  expect(it.phase()).toBe("waiting");
  it.gitlab.cancel(it.jobId);
  it.pass(5000);
  await it.visit();
  expect([it.job().status, it.phase()]).toEqual(["canceled", "closing"]);
  it.pass(60_000);
  await it.visit();
  expect(it.phase()).toBe("gone");
});

test("a cancel while the task starts stops the task at once, and nothing is left when it has stopped", async () => {
  const it = await advancing();
  await it.visit();
  it.gitlab.cancel(it.jobId);
  it.pass(5000);
  await it.visit();
  expect(it.last().state.desiredStatus).toBe("STOPPED");
  expect(it.job().status).toBe("canceled");
  await it.visit(it.stop({ stopCode: "UserInitiated" }));
  expect([...it.objects.contents]).toEqual([]);
});

test("an agent that is up hears of a cancel itself", async () => {
  const it = await advancing();
  await it.visit();
  it.agent().up();
  it.gitlab.cancel(it.jobId);
  it.pass(5000);
  expect(await it.visit()).toEqual(waitingForTask);
  expect(it.last().state.desiredStatus).toBe("RUNNING");
});

test("an image that cannot be pulled is told with what to do", async () => {
  const it = await advancing({ job: { payload: { image: { name: "example.com/no/such:1" } } } });
  await it.visit();
  const reason = "CannotPullContainerError: failed to resolve ref example.com/no/such:1: not found";
  await it.visit(
    it.stop({
      stopCode: "TaskFailedToStart",
      stoppedReason: reason,
      containers: [container("agent"), container("job", { reason })],
    }),
  );
  expect(it.job()).toMatchObject({ status: "failed", failureReason: "image_pull_failure" });
  expect(it.trace()).toMatch(/image example.com\/no\/such:1 could not be pulled: .*name and tag/);
  expect(it.phase()).toBe("gone");
});

test("a plan that is refused is told in the job's log, and no task is started", async () => {
  const it = await advancing({ job: { payload: { services: [{ name: "docker:dind" }] } } });
  await it.visit();
  expect(it.job()).toMatchObject({ status: "failed", failureReason: "runner_configuration_error" });
  expect(it.trace()).toContain("privileged");
  expect([it.phase(), it.tasks.requests.length]).toEqual(["gone", 0]);
});

test("a payload that our schema refuses has an owner all the same", async () => {
  const it = await advancing({ job: { payload: { variables: "none" } } });
  await it.visit();
  expect(it.job()).toMatchObject({ status: "failed", failureReason: "runner_system_failure" });
  expect(it.trace()).toContain("GitLab's job payload cannot be read");
  expect(it.phase()).toBe("gone");
});

test("Spot that is taken back before the fence is invisible but for a line in the next task's log", async () => {
  const it = await advancing({ settings: { capacity: "spot" } });
  await it.visit();
  expect(it.last().state.capacityProvider).toBe("FARGATE_SPOT");
  it.agent().up();
  it.pass(20 * 60_000);
  await it.visit(it.stop({ stopCode: "SpotInterruption" }));
  expect(it.tasks.tasks.size).toBe(2);
  // The second task has not waited for what the first one took.
  expect(it.metrics["QueueSeconds"]).toBeLessThan(60);
  const second = it.agent();
  expect(second.handOff.task).toMatchObject({ attempt: 2, trace: it.trace() });
  expect(second.handOff.task?.notices.join()).toContain("Spot");
  expect(await second.fence()).toBe(true);
  await second.tell("success");
  it.pass(60_000);
  await it.visit(it.stop({}, { agent: 0 }));
  expect([it.job().status, it.objects.contents.size]).toEqual(["success", 0]);
});

test("Spot that is taken back after the fence ends the job with a sentence", async () => {
  const it = await advancing({ settings: { capacity: "spot" } });
  await it.visit();
  await it.agent().fence();
  await it.visit(it.stop({ stopCode: "SpotInterruption" }, { agent: 72 }));
  expect(it.job()).toMatchObject({ status: "failed", failureReason: "runner_system_failure" });
  expect(it.trace()).toContain("BURST_RERUN_ON_LOSS");
  expect([it.tasks.tasks.size, it.phase()]).toEqual([1, "gone"]);
});

test("a job that may run again gets a fence of its own for it", async () => {
  const it = await advancing({ job: { variables: { BURST_RERUN_ON_LOSS: "true" } } });
  await it.visit();
  await it.agent().fence();
  await it.visit(it.stop({ stopCode: "SpotInterruption" }, { agent: 72 }));
  expect(it.tasks.tasks.size).toBe(2);
  expect(await it.agent().fence()).toBe(true);
  await it.agent().tell("success");
  it.pass(60_000);
  await it.visit(it.stop({}, { agent: 0 }));
  expect([it.job().status, it.objects.contents.size]).toEqual(["success", 0]);
});

test("an agent that died after its result has it delivered", async () => {
  const it = await advancing();
  await it.visit();
  const agent = it.agent();
  await agent.fence();
  await agent.result({ result: "failed", failureReason: "script_failure", exitCode: 3 });
  await it.visit(it.stop({}, { agent: 137 }));
  expect(it.job()).toMatchObject({
    status: "failed",
    failureReason: "script_failure",
    exitCode: 3,
  });
  expect(it.trace()).toMatch(/WARNING: the agent was lost before .* CloudWatch Logs.*\n$/);
  expect(it.phase()).toBe("gone");
});

test("a fence that is taken, and nobody lives who took it, is a loss: the script may have begun", async () => {
  const it = await advancing();
  await it.visit();
  await it.agent().fence();
  await it.visit(it.stop({}, { agent: 70 }));
  expect(it.tasks.tasks.size).toBe(1);
  expect(it.job()).toMatchObject({ status: "failed", failureReason: "runner_system_failure" });
});

test("no room on Spot leads to on-demand, then to each subnet by itself, and the log says so", async () => {
  const it = await advancing({ settings: { capacity: "spot" } });
  it.tasks.answers.push({ kind: "no-capacity", message: "" }, { kind: "no-capacity", message: "" });
  await it.visit();
  const tried = it.tasks.requests.map((request) => [
    request.capacityProviderStrategy?.[0]?.capacityProvider,
    request.networkConfiguration.awsvpcConfiguration.subnets.join(),
  ]);
  expect(tried.slice(0, 3)).toEqual([
    ["FARGATE_SPOT", "subnet-a,subnet-b"],
    ["FARGATE", "subnet-a,subnet-b"],
    ["FARGATE", "subnet-a"],
  ]);
  expect(new Set(it.tasks.requests.map(({ clientToken }) => clientToken)).size).toBe(3);
  expect(it.trace()).toContain("no room for it at the moment (Spot); trying on-demand");
  expect(it.agent().handOff.task?.trace).toBe(it.trace());
  expect([it.metrics["LaunchFailures"], it.metrics["LaunchedTasks"]]).toEqual([undefined, 1]);
});

test("no room anywhere counts as one failed launch, however many subnets were tried", async () => {
  const it = await advancing({ settings: { capacity: "spot" } });
  it.tasks.answers.push(
    ...Array.from({ length: 4 }, () => ({ kind: "no-capacity", message: "" }) as const),
  );
  await it.visit();
  expect([it.phase(), it.tasks.requests.length]).toEqual(["waiting", 4]);
  expect(it.metrics["LaunchFailures"]).toBe(1);
});

test.each(["quota", "no-capacity", "no-address"] as const)(
  "what a job waits for is in its record: %s",
  async (kind) => {
    const it = await advancing();
    it.tasks.answers.push(...Array.from({ length: 4 }, () => ({ kind, message: "" })));
    await it.visit();
    expect(it.claim()?.phase).toMatchObject({ kind: "waiting", obstacle: kind });
  },
);

test("a quota that stays used up ends the job after half an hour, and nothing ever sleeps for it", async () => {
  const it = await advancing();
  it.tasks.answers.push(
    ...Array.from({ length: 100 }, () => ({ kind: "quota", message: "" }) as const),
  );
  for (let visits = 0; visits < 60 && it.phase() !== "gone"; visits++) {
    const left = await it.visit();
    if (left.kind === "waiting") it.pass(Math.max(0, (left.until ?? 0) - it.now()));
  }
  expect(it.job()).toMatchObject({ status: "failed", failureReason: "runner_system_failure" });
  expect(it.trace()).toContain("no task could be started for 30 minutes");
  expect(it.trace().match(/quota of vCPU/g)).toHaveLength(2);
  expect(Math.max(0, ...it.slept)).toBeLessThanOrEqual(10_000);
});

test("an unknown answer is asked for again, byte for byte, and starts one task", async () => {
  const it = await advancing();
  let lost = 0;
  it.tasks.answers.push({ kind: "unknown", message: "timeout" });
  it.tasks.fault = (operation, moment) => {
    if (operation === "run" && moment === "after" && it.tasks.tasks.size === 1 && lost++ === 0) {
      throw new Error("killed before the answer");
    }
  };
  await expect(it.visit()).rejects.toThrow("killed");
  expect(it.phase()).toBe("launching");
  await it.visit();
  expect([it.phase(), it.tasks.tasks.size]).toEqual(["running", 1]);
  expect(new Set(it.tasks.requests.map((request) => JSON.stringify(request))).size).toBe(1);
});

test("a throttle after a lost answer sends the same request, so that the task that was started is found", async () => {
  const it = await advancing();
  let lost = 0;
  it.tasks.fault = (operation, moment) => {
    if (operation === "run" && moment === "after" && lost++ === 0) throw new Error("killed");
  };
  await expect(it.visit()).rejects.toThrow("killed");
  it.tasks.answers.push({ kind: "throttled", message: "Rate exceeded" });
  const left = await it.visit();
  expect(left).toMatchObject({ kind: "waiting", phase: "launching" });
  expect(it.trace()).toContain("Not started yet: AWS asks for fewer starts at once");
  it.pass(30_000);
  await it.visit();
  expect([it.phase(), it.tasks.tasks.size]).toEqual(["running", 1]);
  expect(new Set(it.tasks.requests.map((request) => JSON.stringify(request))).size).toBe(1);
  expect(it.agent().handOff.task?.trace).toBe(it.trace());
});

test("throttled for half an hour, a job fails, and nobody waits asleep", async () => {
  const it = await advancing();
  it.tasks.answers.push(
    ...Array.from({ length: 200 }, () => ({ kind: "throttled", message: "" }) as const),
  );
  for (let visits = 0; visits < 250 && it.phase() !== "gone"; visits++) {
    const left = await it.visit();
    if (left.kind === "waiting") it.pass(Math.max(0, (left.until ?? 0) - it.now()));
  }
  expect(it.job()).toMatchObject({ status: "failed", failureReason: "runner_system_failure" });
  expect(it.trace()).toContain("no task could be started for 30 minutes: AWS asks for fewer");
  expect(it.trace().match(/Not started yet/g)).toHaveLength(1);
  expect([it.tasks.tasks.size, it.objects.contents.size, it.slept.length]).toEqual([0, 0, 0]);
});

test("a refusal for good is told", async () => {
  const it = await advancing();
  it.tasks.answers.push({ kind: "refused", message: "AccessDenied: iam:PassRole" });
  await it.visit();
  expect(it.job()).toMatchObject({ status: "failed", failureReason: "runner_system_failure" });
  expect(it.trace()).toContain("AWS refuses to start the task: AccessDenied");
  it.pass(60_000);
  await it.visit();
  expect(it.phase()).toBe("gone");
});

test("a login by the job's token is written down before it is made, and goes with the job", async () => {
  const credentials = [
    {
      type: "registry",
      url: "registry.example.com",
      username: "gitlab-ci-token",
      password: "r3gistry-pass",
    },
  ];
  const it = await advancing({
    job: { payload: { image: { name: "registry.example.com/a/b:1" }, credentials } },
  });
  await it.visit();
  expect([...it.secrets.keys()]).toEqual([
    expect.stringContaining(`gitlab-burst-test/job/${it.id.jobKey}`),
  ]);
  expect(it.claim()?.owned.map(({ kind }) => kind)).toEqual(["secret", "definition"]);
  expect(it.trace()).toContain("pulled with the job's own token");
  await it.agent().tell("success");
  await it.visit(it.stop({}, { agent: 0 }));
  expect([it.secrets.size, it.tasks.definitions.size, it.phase()]).toEqual([0, 0, "gone"]);
});

test("a GitLab that does not answer is told later, by whoever comes", async () => {
  const it = await advancing();
  await it.visit();
  await it.agent().fence();
  it.gitlab.addFault({ match: "PUT /api/v4/jobs/*", status: 501, times: 1 });
  const left = await it.visit(it.stop({}, { agent: 1 }));
  expect(left).toEqual({ kind: "waiting", phase: "telling", until: expect.any(Number) });
  it.pass(10_000);
  await it.visit();
  expect([it.job().status, it.phase()]).toEqual(["failed", "gone"]);
});

test("a task that ECS does not show yet is waited for, and one that it does not know any more is lost", async () => {
  const it = await advancing();
  await it.visit();
  const { taskArn } = it.last().state;
  it.tasks.hidden.add(taskArn);
  expect(await it.visit()).toMatchObject({ phase: "running" });
  it.pass(10 * 60_000);
  await it.visit();
  expect(it.tasks.tasks.size).toBe(2);
});

test("nothing that only the agent may know stands in the request", async () => {
  const it = await advancing({ job: { variables: { PASSWORD: "not-for-you" } } });
  await it.visit();
  const seen = JSON.stringify([it.last().request, [...it.tasks.definitions.values()], it.log]);
  for (const secret of ["not-for-you", it.record.token, it.gitlab.runnerToken]) {
    expect(seen).not.toContain(secret);
  }
  expect(JSON.stringify(it.agent().handOff)).not.toContain(it.gitlab.runnerToken);
});

test.each([
  ["its name in Parameter Store", {}, "team"],
  ["the name that its settings give it", { name: "Team A" }, "Team A"],
])(
  "tags say which runner's task it is, by %s, and of which environment",
  async (_, settings, runner) => {
    const variables = { CI_ENVIRONMENT_NAME: "staging" };
    const it = await advancing({ settings, job: { variables } });
    await it.visit();
    const tags = Object.fromEntries(
      (it.last().request.tags ?? []).map(({ key, value }) => [key, value]),
    );
    expect(tags).toMatchObject({ runner, "burst-environment": "test", environment: "staging" });
  },
);

test("two doors at once launch one task", async () => {
  const it = await advancing();
  await Promise.all([it.visit(), it.visit(), it.visit()]);
  expect([it.phase(), it.tasks.tasks.size]).toEqual(["running", 1]);
  expect(it.trace()).toBe(it.claim()?.trace);
  expect(it.objects.contents.has(stateKeys.grants(it.id.jobKey))).toBe(true);
});

test("a request that was overtaken, and starts a task when its job is over, finds the fence, and is stopped", async () => {
  const it = await advancing({ settings: { capacity: "spot" } });
  const { run } = it.tasks;
  let sent = 0;
  let arrive = () => {};
  const onItsWay = new Promise<void>((resolve) => (arrive = resolve));
  it.tasks.run = async (request) => {
    if (sent++ === 0) await onItsWay;
    return await run(request);
  };
  const slow = it.visit();
  await expect.poll(() => sent).toBe(1);
  it.tasks.answers.push({ kind: "no-capacity", message: "" });
  await it.visit();
  expect([it.phase(), it.last().state.capacityProvider]).toEqual(["running", "FARGATE"]);
  const agent = it.agent();
  expect(await agent.fence()).toBe(true);
  await agent.tell("success");
  await it.visit(it.stop({}, { agent: 0 }));

  arrive();
  await slow;
  const stray = it.last();
  expect([it.tasks.tasks.size, stray.state.capacityProvider]).toEqual([2, "FARGATE_SPOT"]);
  expect(await it.agent().fence()).toBe(false);
  it.pass(60_000);
  await it.visit();
  expect(stray.state.desiredStatus).toBe("STOPPED");
  it.stop({ stopCode: "UserInitiated" });
  it.pass(30_000);
  await it.visit();
  expect([it.job().status, it.objects.contents.size]).toEqual(["success", 0]);
});

test("whom GitLab kept waiting looks at the record again before it sends a request", async () => {
  const it = await advancing({ settings: { capacity: "spot" } });
  it.tasks.fault = (operation) => {
    if (operation === "run") throw new Error("killed before the request");
  };
  await expect(it.visit()).rejects.toThrow("killed");
  it.tasks.fault = undefined;
  const { updateJob } = it.client;
  let asked = 0;
  it.client.updateJob = async (update) => {
    const reply = await updateJob(update);
    if (asked++ === 0) {
      it.pass(25_000);
      it.tasks.answers.push({ kind: "no-capacity", message: "" });
      await it.visit();
    }
    return reply;
  };
  await it.visit();
  expect([it.phase(), it.tasks.tasks.size]).toEqual(["running", 1]);
});

test("a request without an answer is not sent again when another door has gone on", async () => {
  const it = await advancing({ settings: { capacity: "spot" } });
  const { run } = it.tasks;
  let sent = 0;
  it.tasks.run = async (request) => {
    if (sent++ > 0) return await run(request);
    it.tasks.answers.push({ kind: "no-capacity", message: "" });
    await it.visit();
    return { kind: "unknown", message: "timeout" };
  };
  await it.visit();
  expect([it.phase(), it.tasks.tasks.size]).toEqual(["running", 1]);
  const tokens = it.tasks.requests.map(({ clientToken }) => clientToken);
  expect(tokens.filter((token) => token === tokens[0])).toHaveLength(1);
});

test("many jobs that need the same new definition register it once, one after the other", async () => {
  const it = await advancing();
  const registrations: string[] = [];
  it.tasks.fault = (operation, moment) => {
    if (operation === "register" && moment === "before") registrations.push(operation);
  };
  await Promise.all([it.visit(), it.visit()]);
  const [family = ""] = it.tasks.definitions.keys();
  expect(registrations).toHaveLength(1);
  expect(it.objects.contents.has(stateKeys.registering(family))).toBe(false);

  const second = await advancing();
  await second.objects.write(stateKeys.registering(family), "another job's launcher");
  const left = await second.visit();
  expect([second.phase(), second.tasks.definitions.size]).toEqual(["waiting", 0]);
  expect(second.metrics["LaunchFailures"]).toBeUndefined();
  expect(left).toMatchObject({ until: second.now() + 1500 });
  second.pass(30_000);
  await second.visit();
  expect([second.phase(), second.tasks.definitions.size]).toEqual(["running", 1]);
});

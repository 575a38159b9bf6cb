// The fake of ECS, asked by the SDK's own client.

import {
  DescribeTasksCommand,
  DeregisterTaskDefinitionCommand,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  StopTaskCommand,
} from "@aws-sdk/client-ecs";
import type { RegisterTaskDefinitionCommandInput, RunTaskCommandInput } from "@aws-sdk/client-ecs";
import { afterAll, expect, test } from "vitest";
import { sampleDefinition, sampleRun, startSimulatedEcs } from "./ecs-fake.ts";

async function open(options: Parameters<typeof startSimulatedEcs>[0] = {}) {
  const fake = await startSimulatedEcs(options);
  afterAll(() => fake.close());
  const { client } = fake;
  return {
    ...fake,
    register: (more: Partial<RegisterTaskDefinitionCommandInput> = {}) =>
      client.send(new RegisterTaskDefinitionCommand(sampleDefinition(more))),
    run: (more: Partial<RunTaskCommandInput> = {}) =>
      client.send(new RunTaskCommand(sampleRun(more))),
    describe: (arn: string) =>
      client.send(new DescribeTasksCommand({ cluster: "burst", tasks: [arn], include: ["TAGS"] })),
  };
}

/** A task of the sample, started, past the time in which nobody knows it. */
async function opened(options: Parameters<typeof startSimulatedEcs>[0] = {}) {
  const fake = await open(options);
  await fake.register();
  const answer = await fake.run();
  const arn = answer.tasks?.[0]?.taskArn ?? "";
  await fake.clock.advance(1000);
  return { ...fake, arn, simulated: fake.backEnd.task(arn) };
}

const [agent, job] = sampleDefinition().containerDefinitions ?? [];

test.each<[string, Partial<RegisterTaskDefinitionCommandInput>, RegExp]>([
  ["a pair of CPU and memory", { cpu: "1024", memory: "1024" }, /No Fargate configuration exists/],
  ["a number of CPU units", { cpu: "3000", memory: "6144" }, /Invalid 'cpu' setting/],
  ["no size at all", { cpu: undefined }, /'cpu' and 'memory' be defined/],
  ["an image's length", { containerDefinitions: [{ ...agent, image: "i".repeat(256) }] }, /255/],
  [
    "eleven containers",
    {
      containerDefinitions: Array.from({ length: 11 }, (_, index) => ({
        ...agent,
        name: `c${index}`,
      })),
    },
    /Too many containers/,
  ],
  [
    "64 KiB",
    { containerDefinitions: [{ ...agent, command: ["x".repeat(66_000)] }] },
    /Max allowed length is '65536' bytes/,
  ],
  ["privileged", { containerDefinitions: [{ ...agent, privileged: true }] }, /'privileged'/],
  ["a name with a dot", { containerDefinitions: [{ ...agent, name: "a.b" }] }, /name/],
  ["one name twice", { containerDefinitions: [agent!, agent!] }, /unique/],
  ["nothing essential", { containerDefinitions: [job!] }, /essential/],
  ["a stop timeout", { containerDefinitions: [{ ...agent, stopTimeout: 121 }] }, /120 seconds/],
  [
    "an unknown volume",
    {
      containerDefinitions: [
        { ...agent, mountPoints: [{ sourceVolume: "nowhere", containerPath: "/x" }] },
      ],
    },
    /Unknown volume/,
  ],
  [
    "a capability",
    {
      containerDefinitions: [
        { ...agent, linuxParameters: { capabilities: { add: ["SYS_ADMIN"] } } },
      ],
    },
    /SYS_PTRACE/,
  ],
  [
    "a log driver without a prefix",
    {
      containerDefinitions: [
        {
          ...agent,
          logConfiguration: {
            logDriver: "awslogs",
            options: { "awslogs-group": "g", "awslogs-region": "us-east-1" },
          },
        },
      ],
    },
    /awslogs-stream-prefix/,
  ],
  ["a family with a slash", { family: "a/b" }, /Family/],
])("a definition is refused for %s", async (_what, more, message) => {
  const { register } = await open();
  await expect(register(more)).rejects.toMatchObject({ name: "ClientException", message });
});

test.each<[string, Partial<RunTaskCommandInput>, string, RegExp]>([
  ["an unknown family", { taskDefinition: "other" }, "ClientException", /TaskDefinition not found/],
  ["another cluster", { cluster: "default" }, "ClusterNotFoundException", /Cluster not found/],
  [
    "overrides of 8,193 characters",
    { overrides: { containerOverrides: [{ name: "job", command: ["x".repeat(8200)] }] } },
    "InvalidParameterException",
    /at most 8192/,
  ],
  [
    "an override of a container that is not there",
    { overrides: { containerOverrides: [{ name: "nobody" }] } },
    "InvalidParameterException",
    /not a container in the TaskDefinition/,
  ],
  [
    "a size that is no pair",
    { overrides: { cpu: "4096", memory: "2048" } },
    "ClientException",
    /No Fargate configuration/,
  ],
  ["a token of 65", { clientToken: "t".repeat(65) }, "InvalidParameterException", /clientToken/],
  ["a dot in startedBy", { startedBy: "a.b" }, "InvalidParameterException", /startedBy/],
  ["a tag with #", { tags: [{ key: "ref", value: "a#1" }] }, "InvalidParameterException", /ref/],
  [
    "a launch type beside a strategy",
    { launchType: "FARGATE" },
    "InvalidParameterException",
    /both a launch type and capacity provider/,
  ],
  [
    "weights of zero",
    { capacityProviderStrategy: [{ capacityProvider: "FARGATE", weight: 0 }] },
    "InvalidParameterException",
    /weight/,
  ],
  [
    "no subnet",
    { networkConfiguration: { awsvpcConfiguration: { subnets: [] } } },
    "InvalidParameterException",
    /subnets/,
  ],
  [
    "20 GiB of disk asked for by name",
    { overrides: { ephemeralStorage: { sizeInGiB: 20 } } },
    "InvalidParameterException",
    /21 and 200/,
  ],
])("a launch is refused for %s", async (_what, more, name, message) => {
  const { register, run } = await open();
  await register();
  await expect(run(more)).rejects.toMatchObject({ name, message });
});

test("the same token with the same parameters starts one task", async () => {
  const { run, arn, ecs } = await opened();
  const again = await run();
  expect(again.tasks?.[0]?.taskArn).toBe(arn);
  expect(ecs.tasks.size).toBe(1);
});

test("the same token with other parameters is a conflict that names the task", async () => {
  const { run, arn } = await opened();
  await expect(run({ startedBy: "other" })).rejects.toMatchObject({
    name: "ConflictException",
    resourceIds: [arn],
  });
});

test("a token is forgotten an hour after its task", async () => {
  const { run, simulated, clock, arn } = await opened();
  simulated.start();
  simulated.exit("job", 0);
  simulated.exit("agent", 0);
  await clock.advance(59 * 60_000);
  expect((await run()).tasks?.[0]?.taskArn).toBe(arn);
  await clock.advance(60_000);
  expect((await run()).tasks?.[0]?.taskArn).not.toBe(arn);
});

test("a new task is missing for a moment, and a stopped one is seen for an hour", async () => {
  const { register, run, describe, clock, backEnd, client } = await open();
  await register();
  const arn = (await run()).tasks?.[0]?.taskArn ?? "";
  expect(await describe(arn)).toMatchObject({ tasks: [], failures: [{ arn, reason: "MISSING" }] });
  await clock.advance(500);
  expect(await describe(arn)).toMatchObject({ tasks: [{ lastStatus: "PROVISIONING" }] });
  const simulated = backEnd.task(arn);
  simulated.start();
  expect(await describe(arn)).toMatchObject({ tasks: [{ lastStatus: "RUNNING" }] });
  simulated.exit("agent", 0);
  simulated.exit("job", 143);
  const startedBy = sampleRun().startedBy;
  const list = (desiredStatus: "RUNNING" | "STOPPED") =>
    client.send(new ListTasksCommand({ cluster: "burst", startedBy, desiredStatus }));
  expect((await list("RUNNING")).taskArns).toEqual([]);
  expect((await list("STOPPED")).taskArns).toEqual([arn]);
  expect(await describe(arn)).toMatchObject({
    tasks: [
      {
        lastStatus: "STOPPED",
        stopCode: "EssentialContainerExited",
        stoppedReason: "Essential container in task exited",
        containers: [
          { name: "agent", exitCode: 0 },
          { name: "job", exitCode: 143 },
        ],
      },
    ],
  });
  await clock.advance(60 * 60_000);
  expect(await describe(arn)).toMatchObject({ tasks: [], failures: [{ reason: "MISSING" }] });
});

test("the end of a container that is not essential does not end its task", async () => {
  const { simulated } = await opened();
  simulated.start();
  simulated.exit("job", 1);
  expect(simulated.task.lastStatus).toBe("RUNNING");
});

test("Spot takes a task back with an event before its end", async () => {
  const { ecs, arn, simulated, events } = await opened();
  simulated.start();
  let ended = false;
  simulated.onStop(() => {
    ended = true;
  });
  ecs.interrupt(arn);
  expect(ended).toBe(true);
  expect(events.at(-1)).toMatchObject({
    source: "aws.ecs",
    "detail-type": "ECS Task State Change",
    detail: {
      taskArn: arn,
      lastStatus: "RUNNING",
      desiredStatus: "STOPPED",
      stopCode: "SpotInterruption",
      stoppedReason: "Your Spot Task was interrupted.",
    },
  });
  simulated.kill();
  expect(events.at(-1)?.detail).toMatchObject({
    lastStatus: "STOPPED",
    stopCode: "SpotInterruption",
    containers: [{ exitCode: 137 }, { exitCode: 137 }],
  });
  const versions = events.map(({ detail }) => Number(detail["version"]));
  expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b));
});

test("a pull that fails stops a task that never started, without exit codes", async () => {
  const { simulated, events } = await opened();
  const reason = "CannotPullContainerError: pull image manifest has been retried 5 time(s)";
  simulated.failToStart(reason, "job");
  expect(events.at(-1)?.detail).toMatchObject({
    lastStatus: "STOPPED",
    stopCode: "TaskFailedToStart",
    stoppedReason: reason,
    containers: [{ name: "agent" }, { name: "job", reason }],
  });
  expect(JSON.stringify(events.at(-1))).not.toContain("exitCode");
});

test("a stop by hand says whose it was", async () => {
  const { client, arn, simulated } = await opened();
  simulated.start();
  await client.send(new StopTaskCommand({ cluster: "burst", task: arn, reason: "canceled" }));
  expect(simulated.task).toMatchObject({
    lastStatus: "STOPPED",
    stopCode: "UserInitiated",
    stoppedReason: "canceled",
  });
});

test("a launch beyond the vCPU quota, or without capacity, is a failure with HTTP 200", async () => {
  const { register, run, ecs } = await open({ vcpuQuota: { FARGATE: 1, FARGATE_SPOT: 6 } });
  await register();
  await run();
  expect(await run({ clientToken: "token-2" })).toMatchObject({
    tasks: [],
    failures: [{ reason: expect.stringContaining("limit on the number of vCPUs") }],
  });
  ecs.setShortage(({ capacityProvider }) =>
    capacityProvider === "FARGATE_SPOT" ? "capacity" : undefined,
  );
  const spot = [{ capacityProvider: "FARGATE_SPOT", weight: 1 }];
  expect(await run({ clientToken: "token-3", capacityProviderStrategy: spot })).toMatchObject({
    tasks: [],
    failures: [{ reason: expect.stringContaining("Capacity is unavailable at this time") }],
  });
});

test("a subnet without addresses fails the task after it was created", async () => {
  const { register, run, ecs, clock, events } = await open();
  await register();
  ecs.setShortage(() => "no-address");
  expect((await run()).tasks).toHaveLength(1);
  await clock.advance(0);
  expect(events.at(-1)?.detail).toMatchObject({
    stopCode: "TaskFailedToStart",
    stoppedReason: expect.stringContaining("Create Network Interface"),
  });
});

test("registrations are throttled at 20, and then one a second", async () => {
  const { register, clock, ecs } = await open();
  for (let count = 0; count < 20; count++) await register();
  await expect(register()).rejects.toMatchObject({ name: "ThrottlingException" });
  await clock.advance(1000);
  await register();
  expect(ecs.throttles("register-deregister")).toBe(1);
});

test("launches are throttled at 100, and then 20 a second", async () => {
  const { register, run, clock } = await open({ vcpuQuota: { FARGATE: 1000 } });
  await register();
  for (let count = 0; count < 100; count++) await run({ clientToken: `burst-${count}` });
  await expect(run({ clientToken: "over" })).rejects.toMatchObject({ name: "ThrottlingException" });
  await clock.advance(1000);
  for (let count = 0; count < 20; count++) await run({ clientToken: `later-${count}` });
  await expect(run({ clientToken: "over" })).rejects.toMatchObject({ name: "ThrottlingException" });
});

test("a deregistered definition can be used for ten minutes more, by its revision", async () => {
  const { register, run, client, clock } = await open();
  const revision = (await register()).taskDefinition?.taskDefinitionArn ?? "";
  await client.send(new DeregisterTaskDefinitionCommand({ taskDefinition: revision }));
  await expect(run()).rejects.toMatchObject({ message: "TaskDefinition not found." });
  expect((await run({ taskDefinition: revision })).tasks).toHaveLength(1);
  await clock.advance(10 * 60_000);
  await expect(run({ taskDefinition: revision, clientToken: "late" })).rejects.toMatchObject({
    message: "TaskDefinition is inactive",
  });
});

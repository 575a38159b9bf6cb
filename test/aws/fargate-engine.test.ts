// The fake of ECS with real containers: what a definition says is what runs.

import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  GetLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import type { ContainerDefinition, RunTaskCommandInput } from "@aws-sdk/client-ecs";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectEngine } from "../../src/local/docker/engine.ts";
import { bridgeAddress } from "../../src/local/docker/gitlab-route.ts";
import { setup, teardown } from "../containers/setup.ts";
import { createClock } from "../fakes/clock.ts";
import { sampleDefinition, sampleRun } from "../fakes/ecs-fake.ts";
import { createEcs } from "../fakes/ecs/ecs.ts";
import type { Ecs, TaskEvent } from "../fakes/ecs/ecs.ts";
import { createEngineBackEnd } from "../fakes/ecs/engine/back-end.ts";
import type { EngineBackEnd } from "../fakes/ecs/engine/back-end.ts";
import type { FakeTask } from "../fakes/ecs/task.ts";
import { executionRoleKey } from "../fakes/ecs/engine/execution-role.ts";
import { startFront } from "../fakes/front.ts";
import type { Front } from "../fakes/front.ts";
import { until } from "../harness/containers.ts";
import { startMoto } from "../harness/moto.ts";
import type { Moto } from "../harness/moto.ts";

let moto: Moto;
let front: Front;
let ecs: Ecs;
let backEnd: EngineBackEnd;
const events: TaskEvent[] = [];
const clock = createClock();
const keys = { accessKeyId: "TESTER", secretAccessKey: "nothing" };

beforeAll(async () => {
  await setup();
  moto = await startMoto();
  const engine = await connectEngine(process.env);
  const address = (await bridgeAddress(engine)) ?? "127.0.0.1";
  let endpoint = "";
  backEnd = await createEngineBackEnd({ engine, address, endpoint: () => endpoint });
  ecs = createEcs({ clock, backEnd, onEvent: (event) => events.push(event), missingMs: 0 });
  front = await startFront({ moto: moto.url, ecs, listen: address });
  endpoint = front.url;
  const common = { endpoint, region: "us-east-1", credentials: keys };
  const s3 = new S3Client({ ...common, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: "state" }));
  const Body = "# a comment\nFROM_FILE=a=b c\nBOTH=file\n";
  await s3.send(new PutObjectCommand({ Bucket: "state", Key: "x/agent.env", Body }));
  const logs = new CloudWatchLogsClient(common);
  await logs.send(new CreateLogGroupCommand({ logGroupName: "/jobs" }));
});

afterAll(async () => {
  await ecs?.close();
  clock.close();
  await front?.close();
  await moto?.close();
  await teardown();
});

let count = 0;

/** Registers and runs these containers. */
function run(containerDefinitions: ContainerDefinition[], more: Partial<RunTaskCommandInput> = {}) {
  count++;
  const family = `engine-${count}`;
  ecs.call("RegisterTaskDefinition", sampleDefinition({ family, containerDefinitions }));
  const answer = ecs.call(
    "RunTask",
    sampleRun({ taskDefinition: family, clientToken: family, ...more }),
  ) as { readonly tasks: readonly { readonly taskArn: string }[] };
  const arn = answer.tasks[0]?.taskArn ?? "";
  const task = ecs.tasks.get(arn);
  if (task === undefined) throw new Error("no task");
  return { arn, task };
}

async function ended(arn: string) {
  await until("the task's end", () => ecs.tasks.get(arn)?.lastStatus === "STOPPED");
  return events.findLast(({ detail }) => detail["taskArn"] === arn)?.detail ?? {};
}

/** No use to wait any longer. */
function broken(task: FakeTask): boolean {
  if (task.lastStatus === "STOPPED") throw new Error(task.stoppedReason);
  return false;
}

const logConfiguration = {
  logDriver: "awslogs" as const,
  options: {
    "awslogs-group": "/jobs",
    "awslogs-region": "us-east-1",
    "awslogs-stream-prefix": "team",
  },
};

async function logOf(container: string, taskId: string) {
  const logs = new CloudWatchLogsClient({
    endpoint: front.url,
    region: "us-east-1",
    credentials: keys,
  });
  const logStreamName = `team/${container}/${taskId}`;
  const answer = await logs.send(
    new GetLogEventsCommand({ logGroupName: "/jobs", logStreamName, startFromHead: true }),
  );
  return (answer.events ?? []).map(({ message }) => message);
}

const shell = (script: string): Pick<ContainerDefinition, "image" | "command"> => ({
  image: "busybox:latest",
  command: ["sh", "-c", script],
});

test("containers share network and volumes, get their files and log, and the essential one ends the task", async () => {
  const mountPoints = [{ sourceVolume: "builds", containerPath: "/builds", readOnly: false }];
  const { arn, task } = run(
    [
      {
        name: "agent",
        ...shell(
          'echo "$FROM_FILE|$BOTH|$BURST"; until [ -f /builds/net ]; do sleep 0.1; done; ' +
            '[ "$(cat /builds/net)" = "$(readlink /proc/self/ns/net)" ] && echo "one network"; ' +
            "wget -q -O - $ECS_CONTAINER_METADATA_URI_V4/task; exit 3",
        ),
        essential: true,
        mountPoints,
        logConfiguration,
        stopTimeout: 120,
        environment: [
          { name: "BOTH", value: "definition" },
          { name: "BURST", value: "1" },
        ],
      },
      {
        name: "job",
        ...shell(
          "readlink /proc/self/ns/net > /builds/new; mv /builds/new /builds/net; trap 'exit 9' TERM; while :; do sleep 0.1; done",
        ),
        essential: false,
        mountPoints,
        stopTimeout: 2,
      },
    ],
    {
      overrides: {
        cpu: "1024",
        memory: "2048",
        containerOverrides: [
          {
            name: "agent",
            environmentFiles: [{ type: "s3", value: "arn:aws:s3:::state/x/agent.env" }],
          },
        ],
      },
    },
  );
  expect(await ended(arn)).toMatchObject({
    stopCode: "EssentialContainerExited",
    containers: [
      { name: "agent", exitCode: 3 },
      { name: "job", exitCode: 9 },
    ],
  });
  await backEnd.gone(arn);
  const [first, network, meta] = await logOf("agent", task.id);
  expect([first, network]).toEqual(["a=b c|definition|1", "one network"]);
  expect(JSON.parse(meta ?? "")).toMatchObject({
    TaskARN: arn,
    KnownStatus: "RUNNING",
    Containers: [
      { Name: "agent", KnownStatus: "RUNNING" },
      { Name: "job", KnownStatus: "RUNNING" },
    ],
  });
  const engine = await connectEngine(process.env);
  const left = await engine.listContainers({ all: true, filters: { label: ["fake-ecs-task"] } });
  expect(left).toEqual([]);
  expect(front.requests.filter(({ caller }) => caller === executionRoleKey)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ action: "GetObject", resource: "state/x/agent.env" }),
      expect.objectContaining({ action: "CreateLogStream", resource: "/jobs" }),
      expect.objectContaining({ action: "PutLogEvents", resource: "/jobs" }),
    ]),
  );
});

test("an image that cannot be pulled fails the task, with no exit code", async () => {
  const { arn } = run([
    { name: "agent", ...shell("sleep 1000"), essential: true, stopTimeout: 2 },
    { name: "job", image: "no-such-image:1", essential: false },
  ]);
  expect(await ended(arn)).toMatchObject({
    stopCode: "TaskFailedToStart",
    stoppedReason: expect.stringMatching(/^CannotPullContainerError: .*no-such-image:1/),
  });
  await backEnd.gone(arn);
});

test("an environment file that is not there is an error of the task's beginning", async () => {
  const { arn } = run([{ name: "agent", ...shell("sleep 1000"), essential: true }], {
    overrides: {
      containerOverrides: [
        {
          name: "agent",
          environmentFiles: [{ type: "s3", value: "arn:aws:s3:::state/none.env" }],
        },
      ],
    },
  });
  expect(await ended(arn)).toMatchObject({
    stopCode: "TaskFailedToStart",
    stoppedReason: expect.stringMatching(/^ResourceInitializationError: failed to download env/),
  });
  await backEnd.gone(arn);
});

test("a container that takes more memory than it may is killed, and says so", async () => {
  const { arn } = run([
    {
      name: "agent",
      ...shell("tail -c 200m /dev/zero | wc -c; exit 0"),
      command: ["tail", "-c", "200m", "/dev/zero"],
      essential: true,
      memory: 32,
    },
  ]);
  expect(await ended(arn)).toMatchObject({
    containers: [
      { exitCode: 137, reason: "OutOfMemoryError: Container killed due to memory usage" },
    ],
  });
  await backEnd.gone(arn);
});

test("Spot loss is a SIGTERM, and a SIGKILL after the stop timeout", async () => {
  const { arn, task } = run([
    {
      name: "agent",
      ...shell("trap 'echo told; exit 5' TERM; while :; do sleep 0.1; done"),
      essential: true,
      stopTimeout: 120,
      logConfiguration,
    },
    {
      name: "job",
      ...shell("trap '' TERM; while :; do sleep 0.1; done"),
      essential: false,
      stopTimeout: 2,
    },
  ]);
  await until("the task to run", () => task.lastStatus === "RUNNING" || broken(task));
  await until("the agent to listen", async () => (await inspectTop(arn)).length > 1);
  ecs.interrupt(arn);
  expect(await ended(arn)).toMatchObject({
    stopCode: "SpotInterruption",
    containers: [
      { name: "agent", exitCode: 5 },
      { name: "job", exitCode: 137 },
    ],
  });
  await backEnd.gone(arn);
  expect(await logOf("agent", task.id)).toEqual(["told"]);
});

async function inspectTop(arn: string): Promise<readonly string[][]> {
  const engine = await connectEngine(process.env);
  const { Processes } = await engine.getContainer(backEnd.containerId(arn, "agent") ?? "").top();
  return Processes as string[][];
}

test("a task that is stopped while an image is pulled never starts that container", async () => {
  const release = backEnd.holdPulls((_task, container) => container === "job");
  const { arn, task } = run([
    { name: "agent", ...shell("sleep 1000"), essential: true, stopTimeout: 2 },
    { name: "job", ...shell("sleep 1000"), essential: false },
  ]);
  await until(
    "the agent to run",
    () => task.containers[0]?.lastStatus === "RUNNING" || broken(task),
  );
  ecs.call("StopTask", { cluster: "burst", task: arn, reason: "canceled" });
  release();
  const detail = await ended(arn);
  expect(detail).toMatchObject({ stopCode: "UserInitiated", stoppedReason: "canceled" });
  expect(task.containers[1]).toMatchObject({ lastStatus: "STOPPED", exitCode: undefined });
  await backEnd.gone(arn);
});

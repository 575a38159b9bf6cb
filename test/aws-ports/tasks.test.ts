import { ECSClient } from "@aws-sdk/client-ecs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTasks, taskOfEvent } from "../../src/aws/tasks.ts";
import type { Tasks } from "../../src/aws/tasks.ts";
import type { RunTaskRequest, TaskDefinition } from "../../src/core/fargate-task.ts";
import { startAnsweringServer } from "./answering-server.ts";
import type { Answer, AnsweringServer } from "./answering-server.ts";

let server: AnsweringServer;
let client: ECSClient;
let tasks: Tasks;

beforeAll(async () => {
  server = await startAnsweringServer();
  client = new ECSClient({
    endpoint: server.url,
    region: "eu-central-1",
    credentials: { accessKeyId: "testing", secretAccessKey: "testing" },
    maxAttempts: 1,
  });
  tasks = createTasks(client, "burst");
});

afterAll(async () => {
  client.destroy();
  await server.close();
});

const arn = "arn:aws:ecs:eu-central-1:123456789012:task/burst/0123456789abcdef";

const request: RunTaskRequest = {
  cluster: "burst",
  taskDefinition: "burst-0123",
  clientToken: "token",
  startedBy: "team/1024/0123",
  count: 1,
  platformVersion: "1.4.0",
  capacityProviderStrategy: [{ capacityProvider: "FARGATE", weight: 1 }],
  networkConfiguration: {
    awsvpcConfiguration: { subnets: ["subnet-1"], securityGroups: [], assignPublicIp: "ENABLED" },
  },
  overrides: { cpu: "1024", memory: "2048", containerOverrides: [] },
  tags: [],
  enableECSManagedTags: true,
};

const definition: TaskDefinition = {
  family: "burst-0123",
  networkMode: "awsvpc",
  requiresCompatibilities: ["FARGATE"],
  cpu: "256",
  memory: "512",
  executionRoleArn: "arn:aws:iam::123456789012:role/execution",
  runtimePlatform: { cpuArchitecture: "X86_64", operatingSystemFamily: "LINUX" },
  volumes: [],
  containerDefinitions: [],
};

function refused(type: string, message: string, status = 400): Answer {
  return { status, body: { __type: `com.amazonaws.ecs#${type}`, message } };
}

function failed(reason: string): Answer {
  return { status: 200, body: { tasks: [], failures: [{ arn: "", reason }] } };
}

test.each<readonly [rule: string, answer: Answer, kind: string]>([
  [
    "no capacity for Spot or on-demand",
    failed(
      "Capacity is unavailable at this time. Please try again later or in a different availability zone",
    ),
    "no-capacity",
  ],
  [
    "the account's vCPU quota, with a typographic apostrophe",
    failed("You’ve reached the limit on the number of vCPUs you can run concurrently"),
    "quota",
  ],
  [
    "the account's vCPU quota, thrown",
    refused(
      "ClientException",
      "You've reached the limit on the number of vCPUs you can run concurrently",
    ),
    "quota",
  ],
  [
    "more vCPU than the account has at all",
    failed("The requested CPU configuration is above your limit"),
    "quota",
  ],
  [
    "a subnet without addresses",
    refused(
      "InvalidParameterException",
      "The specified subnet does not have enough free addresses to satisfy the request",
    ),
    "no-address",
  ],
  ["a throttle", refused("ThrottlingException", "Rate exceeded"), "throttled"],
  [
    "a throttle of EC2, of which ECS tells as of a wrong parameter",
    refused(
      "InvalidParameterException",
      "Error retrieving subnet information for [subnet-1]: Request limit exceeded. (ErrorCode: RequestLimitExceeded)",
    ),
    "throttled",
  ],
  [
    "a family that was never registered",
    refused("ClientException", "TaskDefinition not found."),
    "unknown-definition",
  ],
  [
    "a family that cannot be found, in other words",
    refused("ClientException", "Unable to find task definition"),
    "unknown-definition",
  ],
  [
    "a family whose revisions are all deregistered",
    refused("InvalidParameterException", "TaskDefinition is inactive"),
    "unknown-definition",
  ],
  ["a cluster that is not there", refused("ClusterNotFoundException", "not found"), "refused"],
  [
    "a role that the launcher may not pass",
    refused(
      "AccessDeniedException",
      "User is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/deploy-capacity",
    ),
    "refused",
  ],
  [
    "a capacity provider that the cluster does not have",
    refused(
      "InvalidParameterException",
      "The specified capacity provider FARGATE_SPOT is not associated with the cluster",
    ),
    "refused",
  ],
  [
    "an account that is blocked",
    refused("BlockedException", "Your account was blocked"),
    "refused",
  ],
  ["a failure in words that nobody has seen", failed("ATTRIBUTE"), "refused"],
  ["an error of the server", refused("ServerException", "Service Unavailable", 500), "unknown"],
  ["a gateway's page", { status: 503, body: "<html>busy</html>" }, "unknown"],
  ["a connection that broke", "hang up", "unknown"],
  ["neither task nor failure", { status: 200, body: { tasks: [], failures: [] } }, "unknown"],
])("RunTask: %s", async (_, answer, kind) => {
  server.answer(answer);
  const reply = await tasks.run(request);
  expect(reply.kind).toBe(kind);
  if ("message" in reply) expect(reply.message).not.toBe("");
});

test("a started task is told by its ARN, and the request is sent as it was decided", async () => {
  server.answer({ status: 200, body: { tasks: [{ taskArn: arn }], failures: [] } });
  expect(await tasks.run(request)).toEqual({ kind: "launched", taskArn: arn });
  expect(server.requests[0]?.target).toBe("RunTask");
  expect(JSON.parse(server.requests[0]?.body ?? "")).toEqual(request);
});

test("a conflict of the client token means that its task runs already", async () => {
  server.answer({
    status: 400,
    body: {
      __type: "com.amazonaws.ecs#ConflictException",
      message: "There is a conflict with this client token",
      resourceIds: [arn],
    },
  });
  expect(await tasks.run(request)).toEqual({ kind: "launched", taskArn: arn });
});

test("the client's own second try sends the same client token", async () => {
  const patient = new ECSClient({
    endpoint: server.url,
    region: "eu-central-1",
    credentials: { accessKeyId: "testing", secretAccessKey: "testing" },
    maxAttempts: 2,
  });
  server.answer("hang up", { status: 200, body: { tasks: [{ taskArn: arn }] } });
  expect(await createTasks(patient, "burst").run(request)).toEqual({
    kind: "launched",
    taskArn: arn,
  });
  expect(server.requests).toHaveLength(2);
  expect(server.requests[0]?.body).toBe(server.requests[1]?.body);
  patient.destroy();
});

test.each<readonly [rule: string, answer: Answer, kind: string]>([
  ["it is registered", { status: 200, body: { taskDefinition: {} } }, "registered"],
  ["a throttle", refused("ThrottlingException", "Rate exceeded"), "throttled"],
  [
    "another one registers the same family at this moment",
    refused(
      "ClientException",
      "Too many concurrent attempts to create a new revision of the specified family.",
    ),
    "throttled",
  ],
  [
    "what Fargate does not have",
    refused("ClientException", "No Fargate configuration exists for given values."),
    "refused",
  ],
  ["an error of the server", refused("ServerException", "Internal", 500), "unknown"],
  ["a connection that broke", "hang up", "unknown"],
])("RegisterTaskDefinition: %s", async (_, answer, kind) => {
  server.answer(answer);
  expect((await tasks.register(definition)).kind).toBe(kind);
});

test("stopping a task that is gone is no mistake, and any other refusal is", async () => {
  server.answer(refused("InvalidParameterException", "The referenced task was not found."));
  await tasks.stop(arn, "canceled");
  server.answer(refused("AccessDeniedException", "no"));
  await expect(tasks.stop(arn, "canceled")).rejects.toThrow("no");
});

test("a description is in our words, and what is missing is left out", async () => {
  server.answer({
    status: 200,
    body: {
      tasks: [
        {
          taskArn: arn,
          startedBy: "team/1024/0123",
          lastStatus: "STOPPED",
          desiredStatus: "STOPPED",
          stopCode: "SpotInterruption",
          stoppedReason: "Your Spot Task was interrupted.",
          capacityProviderName: "FARGATE_SPOT",
          createdAt: 1_700_000_000.5,
          version: 7,
          containers: [
            { name: "agent", lastStatus: "STOPPED", exitCode: 0 },
            { name: "job", lastStatus: "STOPPED", reason: "CannotPullContainerError: no" },
          ],
        },
      ],
      failures: [{ arn: `${arn}2`, reason: "MISSING" }],
    },
  });
  expect(await tasks.describe([arn, `${arn}2`])).toEqual([
    {
      taskArn: arn,
      startedBy: "team/1024/0123",
      lastStatus: "STOPPED",
      desiredStatus: "STOPPED",
      stopCode: "SpotInterruption",
      stoppedReason: "Your Spot Task was interrupted.",
      capacityProvider: "FARGATE_SPOT",
      createdAt: 1_700_000_000_500,
      pullStartedAt: undefined,
      pullStoppedAt: undefined,
      startedAt: undefined,
      stoppedAt: undefined,
      version: 7,
      containers: [
        { name: "agent", lastStatus: "STOPPED", exitCode: 0, reason: "" },
        {
          name: "job",
          lastStatus: "STOPPED",
          exitCode: undefined,
          reason: "CannotPullContainerError: no",
        },
      ],
    },
  ]);
});

test("tasks are described a hundred at a time", async () => {
  server.answer({ status: 200, body: { tasks: [] } });
  await tasks.describe(Array.from({ length: 205 }, (_, index) => `task ${index}`));
  const sizes = server.requests.map(({ body }) => {
    const { tasks: asked } = JSON.parse(body) as { tasks: readonly string[] };
    return asked.length;
  });
  expect(sizes).toEqual([100, 100, 5]);
});

test("a claim's tasks are those that run and those that have stopped, page after page", async () => {
  server.answer(
    { status: 200, body: { taskArns: ["one"], nextToken: "more" } },
    { status: 200, body: { taskArns: ["two"] } },
    { status: 200, body: { taskArns: ["two", "three"] } },
  );
  expect(await tasks.startedBy("team/1024/0123")).toEqual(["one", "two", "three"]);
  const asked = server.requests.map(({ body }) => {
    const { desiredStatus, startedBy } = JSON.parse(body) as Record<string, string>;
    return `${startedBy} ${desiredStatus}`;
  });
  expect(asked).toEqual([
    "team/1024/0123 RUNNING",
    "team/1024/0123 RUNNING",
    "team/1024/0123 STOPPED",
  ]);
});

test("a family that was made for one job loses all its revisions", async () => {
  server.answer(
    { status: 200, body: { taskDefinitionArns: ["family:1", "family:2"] } },
    { status: 200, body: {} },
  );
  await tasks.forget("family");
  expect(server.requests.map(({ target }) => target)).toEqual([
    "ListTaskDefinitions",
    "DeregisterTaskDefinition",
    "DeregisterTaskDefinition",
  ]);
});

test("an event says the same as a description, with moments as texts", () => {
  const state = taskOfEvent({
    taskArn: arn,
    startedBy: "team/1024/0123",
    lastStatus: "STOPPED",
    desiredStatus: "STOPPED",
    stopCode: "EssentialContainerExited",
    stoppedReason: "Essential container in task exited",
    createdAt: "2026-11-22T10:00:00.5Z",
    pullStartedAt: "2026-11-22T10:00:10Z",
    version: 5,
    clusterArn: "arn:aws:ecs:eu-central-1:123456789012:cluster/burst",
    containers: [
      { name: "agent", lastStatus: "STOPPED", exitCode: 70, containerArn: "…", taskArn: arn },
      { name: "aws-guardduty-agent-x", lastStatus: "STOPPED" },
    ],
    overrides: { containerOverrides: [] },
  });
  expect(state.createdAt).toBe(Date.UTC(2026, 10, 22, 10, 0, 0, 500));
  expect(state.stoppedAt).toBeUndefined();
  expect(state.containers.map(({ exitCode }) => exitCode)).toEqual([70, undefined]);
});

test.each([[undefined], ["text"], [{}], [{ taskArn: "" }]])("%j is no task's event", (detail) => {
  expect(() => taskOfEvent(detail)).toThrow(/invalid|small|expected/i);
});

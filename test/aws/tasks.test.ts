// What moto knows of ECS: that definitions of ours have the shape of its service model, and how they go.
// Its RunTask takes no capacity providers; tests of launches have a fake of their own.

import {
  CreateClusterCommand,
  DescribeTaskDefinitionCommand,
  ECSClient,
} from "@aws-sdk/client-ecs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTasks } from "../../src/aws/tasks.ts";
import type { Tasks } from "../../src/aws/tasks.ts";
import { define } from "../core/fargate-case.ts";
import { startMoto } from "../harness/moto.ts";
import type { Moto } from "../harness/moto.ts";

let moto: Moto;
let client: ECSClient;
let tasks: Tasks;

beforeAll(async () => {
  moto = await startMoto();
  client = new ECSClient({
    endpoint: moto.url,
    region: "eu-central-1",
    credentials: { accessKeyId: "testing", secretAccessKey: "testing" },
  });
  tasks = createTasks(client, "burst");
  await client.send(new CreateClusterCommand({ clusterName: "burst" }));
});

afterAll(async () => {
  client.destroy();
  await moto.close();
});

const wanted = {
  job: { services: [{ name: "postgres:17", alias: "db", command: ["-c", "fsync=off"] }] },
  settings: { user: "1000", cap_drop: ["NET_RAW"], ulimit: { nofile: "1024" } },
  variables: { CI_DEBUG_SERVICES: "true" },
};

test("a definition is registered as it was decided", async () => {
  const definition = define(wanted);
  expect(await tasks.register(definition)).toEqual({ kind: "registered" });
  const { taskDefinition } = await client.send(
    new DescribeTaskDefinitionCommand({ taskDefinition: definition.family }),
  );
  const agent = taskDefinition?.containerDefinitions?.find(({ name }) => name === "agent");
  expect(agent).toMatchObject({ ...definition.containerDefinitions[0] });
  const job = taskDefinition?.containerDefinitions?.find(({ name }) => name === "job");
  expect(job).toMatchObject({ ...definition.containerDefinitions[1] });
});

test("a forgotten family has no revision left to start", async () => {
  const definition = define(wanted, { place: { runner: "forgotten" } });
  await tasks.register(definition);
  await tasks.register(definition);
  await tasks.forget(definition.family);
  const { taskDefinition } = await client.send(
    new DescribeTaskDefinitionCommand({ taskDefinition: `${definition.family}:2` }),
  );
  expect(taskDefinition?.status).toBe("INACTIVE");
  await tasks.forget(definition.family);
});

test("a cluster with no tasks has none, by claim or at all", async () => {
  expect(await tasks.running()).toEqual([]);
  expect(await tasks.startedBy("team/1024/0123456789abcdef0123456789abcdef")).toEqual([]);
  expect(await tasks.describe([])).toEqual([]);
});

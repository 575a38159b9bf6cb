// Private images: whose login ECS is given, where it lies, and that it is nowhere else. The tasks are simulated.

import {
  GetSecretValueCommand,
  ListSecretsCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPaperAgent } from "./paper-agent.ts";
import { claimsGone, endOf, taskOf, until } from "./story-report.ts";
import { jobImage, startWorld } from "./world.ts";
import type { World } from "./world.ts";

let world: World;
let secrets: SecretsManagerClient;
const agent = createPaperAgent(() => ({
  endpoint: world.front.url,
  region: world.deployment.region,
}));
const troubles: unknown[] = [];
const words = ["the-runners-password", "the-variables-password", "the-jobs-password"];
const image = jobImage("registry.example.com/team/tool:1");

function configOf(registry: string, username: string, password: string): string {
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  return JSON.stringify({ auths: { [registry]: { auth } } });
}

beforeAll(async () => {
  world = await startWorld({
    tasks: (task) => {
      agent.play(task).catch((cause: unknown) => troubles.push(cause));
    },
  });
  const { region } = world.deployment;
  const credentials = { accessKeyId: "TESTER", secretAccessKey: "nothing" };
  secrets = new SecretsManagerClient({ endpoint: world.front.url, region, credentials });
  world.tick("poller");
});

afterAll(async () => {
  secrets?.destroy();
  await world?.close();
});

/** What the task's definition names for its job container. */
async function credentialsOf(jobId: number): Promise<string | undefined> {
  const { definition } = await taskOf(world, jobId);
  const job = definition.containerDefinitions?.find(({ name }) => name === "job");
  return job?.repositoryCredentials?.credentialsParameter;
}

async function loginOf(jobId: number): Promise<unknown> {
  const SecretId = await credentialsOf(jobId);
  const { SecretString = "" } = await secrets.send(new GetSecretValueCommand({ SecretId }));
  return JSON.parse(SecretString);
}

const secretCount = async () =>
  (await secrets.send(new ListSecretsCommand({}))).SecretList?.length ?? 0;

test("an image of no known registry is pulled without a login", async () => {
  const { id } = await world.enqueue({ image });
  await endOf(world, id, "success");
  expect(await credentialsOf(id)).toBeUndefined();
});

test("a login in DOCKER_AUTH_CONFIG is given to ECS as a secret, which the next job uses again", async () => {
  const config = configOf("registry.example.com", "robot", "the-variables-password");
  const first = await world.enqueue({ image, variables: { DOCKER_AUTH_CONFIG: config } });
  await endOf(world, first.id, "success");
  expect(world.trace(first.id)).toContain("pulled with the login in DOCKER_AUTH_CONFIG");
  expect(await loginOf(first.id)).toEqual({
    username: "robot",
    password: "the-variables-password",
  });
  const second = await world.enqueue({ image, variables: { DOCKER_AUTH_CONFIG: config } });
  await endOf(world, second.id, "success");
  expect(await credentialsOf(second.id)).toBe(await credentialsOf(first.id));
  expect((await taskOf(world, second.id)).definition.family).toBe(
    (await taskOf(world, first.id)).definition.family,
  );
  expect(await secretCount()).toBe(1);
});

test("the runner's registry-auth is mirrored for ECS as soon as it is there, and comes first", async () => {
  const config = configOf("registry.example.com", "team", "the-runners-password");
  await world.putParameter("runners/team/registry-auth", config);
  const from = world.front.requests.length;
  await until("the login to be read", () =>
    world.front.requests
      .slice(from)
      .some(({ action, status }) => action === "GetParameters" && status === 200),
  );
  const { id } = await world.enqueue({ image });
  await endOf(world, id, "success");
  expect(world.trace(id)).toContain("pulled with the runner's login for its registry");
  expect(await loginOf(id)).toEqual({ username: "team", password: "the-runners-password" });
});

test("a login by the job's own token is made for it, and goes with it", async () => {
  const before = await secretCount();
  const { id } = await world.enqueue({
    image: jobImage("registry.gitlab.example/team/tool:1"),
    payload: {
      credentials: [
        {
          type: "registry",
          url: "registry.gitlab.example",
          username: "gitlab-ci-token",
          password: "the-jobs-password",
        },
      ],
    },
  });
  await endOf(world, id, "success");
  expect(await credentialsOf(id)).toMatch(/:secret:gitlab-burst-default\/job\//);
  await claimsGone(world);
  expect(await secretCount()).toBe(before);
});

test("no password is in what ECS is asked, in logs of functions, or in a job's log", async () => {
  const seen = [
    JSON.stringify(world.front.requests.filter(({ service }) => service === "ecs")),
    ...Object.values(world.deployment.functions).map(({ name }) => world.lambda.log(name)),
    ...world.gitlab.jobs().map(({ id }) => world.trace(id)),
  ].join("\n");
  for (const word of words) {
    expect(seen).not.toContain(word);
    expect(seen).not.toContain(Buffer.from(word).toString("base64").slice(4, -4));
  }
  expect(troubles).toEqual([]);
});

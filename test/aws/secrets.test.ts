import {
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRegistrySecrets } from "../../src/aws/secrets.ts";
import type { RegistrySecrets } from "../../src/aws/secrets.ts";
import { Secret } from "../../src/core/secret.ts";
import { startMoto } from "../harness/moto.ts";
import type { Moto } from "../harness/moto.ts";

let moto: Moto;
let client: SecretsManagerClient;
let secrets: RegistrySecrets;
const login = { username: "robot", password: new Secret("s3cret") };

beforeAll(async () => {
  moto = await startMoto();
  client = new SecretsManagerClient({
    endpoint: moto.url,
    region: "eu-central-1",
    credentials: { accessKeyId: "testing", secretAccessKey: "testing" },
  });
  secrets = createRegistrySecrets(client, { kmsKey: "", tags: { environment: "test" } });
});

afterAll(async () => {
  client.destroy();
  await moto.close();
});

test("a secret is what ECS wants for a pull, and made once", async () => {
  const arn = await secrets.ensure("burst-once", login);
  expect(await secrets.ensure("burst-once", login)).toBe(arn);
  const value = await client.send(new GetSecretValueCommand({ SecretId: arn }));
  expect(JSON.parse(value.SecretString ?? "")).toEqual({ username: "robot", password: "s3cret" });
  const described = await client.send(new DescribeSecretCommand({ SecretId: arn }));
  expect(described.Tags).toEqual([{ Key: "environment", Value: "test" }]);
});

test("two that make the same one at once have the same one", async () => {
  const arns = await Promise.all([
    secrets.ensure("burst-both", login),
    secrets.ensure("burst-both", login),
  ]);
  expect(new Set(arns).size).toBe(1);
});

test("one that somebody marked for deletion is taken back", async () => {
  const arn = await secrets.ensure("burst-back", login);
  await client.send(new DeleteSecretCommand({ SecretId: arn, RecoveryWindowInDays: 7 }));
  expect(await secrets.ensure("burst-back", login)).toBe(arn);
  await client.send(new GetSecretValueCommand({ SecretId: arn }));
});

test("a removed one is gone at once, can be removed again, and made again", async () => {
  await secrets.ensure("burst-gone", login);
  await secrets.remove("burst-gone");
  await secrets.remove("burst-gone");
  expect(await secrets.list("burst-gone")).toEqual([]);
  expect(await secrets.ensure("burst-gone", login)).toContain("burst-gone");
});

test("a listing has the names that begin so, page after page", async () => {
  for (let index = 0; index < 105; index += 1) await secrets.ensure(`burst-many-${index}`, login);
  await secrets.ensure("other-burst-many-1", login);
  const listed = await secrets.list("burst-many-");
  expect(listed).toHaveLength(105);
  expect(listed[0]?.createdAt).toBeGreaterThan(0);
});

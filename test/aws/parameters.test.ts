import { SSMClient } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createParameters } from "../../src/aws/parameters.ts";
import type { Parameters } from "../../src/aws/parameters.ts";
import { Secret } from "../../src/core/secret.ts";
import { startMoto } from "../harness/moto.ts";
import type { Moto } from "../harness/moto.ts";

let moto: Moto;
let client: SSMClient;
let parameters: Parameters;

beforeAll(async () => {
  moto = await startMoto();
  client = new SSMClient({
    endpoint: moto.url,
    region: "eu-central-1",
    credentials: { accessKeyId: "testing", secretAccessKey: "testing" },
  });
  parameters = createParameters(client);
});

afterAll(async () => {
  client.destroy();
  await moto.close();
});

test("a listing has plain values and their versions, and of secrets only that they are there", async () => {
  await parameters.put("/list/settings", "limit: 5");
  await parameters.put("/list/settings", "limit: 6");
  await parameters.put("/list/runners/team/token", new Secret("glrt-secret"));
  await parameters.put("/other/settings", "no");
  const listed = await parameters.list("/list");
  expect(listed.toSorted((left, right) => (left.name < right.name ? -1 : 1))).toMatchObject([
    { name: "/list/runners/team/token", version: 1, secure: true, value: undefined },
    { name: "/list/settings", version: 2, secure: false, value: "limit: 6" },
  ]);
});

test("more than one page is listed, more than ten secrets are decrypted, and all are removed", async () => {
  const names = Array.from({ length: 23 }, (_, index) => `/pages/runners/r${index}/token`);
  for (const name of names) await parameters.put(name, new Secret(`token of ${name}`));
  expect(await parameters.list("/pages")).toHaveLength(23);
  const secrets = await parameters.secrets([...names, ...names, "/pages/none"]);
  expect([...secrets.keys()].toSorted()).toEqual(names.toSorted());
  expect(secrets.get("/pages/runners/r7/token")?.reveal()).toBe("token of /pages/runners/r7/token");
  await parameters.remove([...names, "/pages/none"]);
  expect(await parameters.list("/pages")).toEqual([]);
});

test("no secrets asked for, no call made", async () => {
  expect(await parameters.secrets([])).toEqual(new Map());
});

test("a path with nothing below it is an empty listing", async () => {
  expect(await parameters.list("/nothing/here")).toEqual([]);
});

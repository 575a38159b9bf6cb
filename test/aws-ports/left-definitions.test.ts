import { ECSClient } from "@aws-sdk/client-ecs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { definitionRemover, taskDefinitions } from "../../src/aws/left-definitions.ts";
import { startAnsweringServer } from "./answering-server.ts";
import type { Answer, AnsweringServer } from "./answering-server.ts";

let server: AnsweringServer;
let client: ECSClient;

beforeAll(async () => {
  server = await startAnsweringServer();
  client = new ECSClient({
    endpoint: server.url,
    region: "eu-central-1",
    credentials: { accessKeyId: "testing", secretAccessKey: "testing" },
    maxAttempts: 1,
  });
});

afterAll(async () => {
  client.destroy();
  await server.close();
});

const arnOf = (family: string) => `arn:aws:ecs:eu-central-1:1:task-definition/${family}:1`;
const arn = arnOf(`burst-one-${"a".repeat(32)}`);
const done: Answer = { status: 200, body: {} };
const throttled: Answer = {
  status: 400,
  body: { __type: "ThrottlingException", message: "Rate exceeded" },
};

/** Waits take no time, and are counted. */
function clock() {
  let time = 0;
  const waits: number[] = [];
  return {
    now: () => time,
    sleep: (milliseconds: number) => {
      time += milliseconds;
      waits.push(milliseconds);
      return Promise.resolve();
    },
    seconds: () => time / 1000,
    waits,
  };
}

const targets = () => server.requests.map(({ target }) => target);

test("only families of this prefix and a hash are ours", async () => {
  const others = [arnOf("burst-one-web"), arnOf(`burst-one-more-${"a".repeat(32)}`)];
  server.answer(
    { status: 200, body: { taskDefinitionArns: [arn, ...others] } },
    { status: 200, body: { taskDefinitionArns: [] } },
  );
  expect(await taskDefinitions(client, "burst-one")).toEqual([{ arn, active: true }]);
});

test("five are deleted at once, then one a second, as ECS's buckets refill", async () => {
  server.answer(done);
  const it = clock();
  const remove = definitionRemover(client, it);
  for (let count = 0; count < 5; count++) await remove({ arn, active: true });
  expect(it.seconds()).toBe(0);
  for (let count = 0; count < 30; count++) await remove({ arn, active: true });
  expect(it.seconds()).toBe(30);
  expect(server.requests).toHaveLength(70);
});

test("one that is deregistered already is only deleted", async () => {
  server.answer(done);
  await definitionRemover(client, clock())({ arn, active: false });
  expect(targets()).toEqual(["DeleteTaskDefinitions"]);
});

test("a throttle is waited out, ever longer, and then the next one comes", async () => {
  server.answer(throttled, throttled, throttled, done);
  const it = clock();
  await definitionRemover(client, it)({ arn, active: true });
  expect(it.waits).toEqual([1000, 2000, 4000]);
  expect(targets()).toEqual([
    ...Array.from({ length: 4 }, () => "DeregisterTaskDefinition"),
    "DeleteTaskDefinitions",
  ]);
});

test("a throttle without end, and another refusal, are told", async () => {
  server.answer(throttled);
  const it = clock();
  await expect(definitionRemover(client, it)({ arn, active: true })).rejects.toThrow("Rate");
  expect(it.seconds()).toBeLessThan(180);
  server.answer({ status: 400, body: { __type: "ClientException", message: "not yours" } });
  await expect(definitionRemover(client, clock())({ arn, active: true })).rejects.toThrow(
    "not yours",
  );
  expect(server.requests).toHaveLength(1);
});

test("what ECS says it did not delete is told", async () => {
  server.answer({ status: 200, body: { failures: [{ arn, reason: "IN_USE", detail: "in use" }] } });
  const remove = definitionRemover(client, clock());
  await expect(remove({ arn, active: false })).rejects.toThrow("in use");
});

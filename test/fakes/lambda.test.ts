// The fake of Lambda, asked by the SDK's own client, with functions of a few lines as bundles.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { afterAll, expect, test } from "vitest";
import { createClock } from "./clock.ts";
import { startFront } from "./front.ts";
import { accessKeyOf, createLambda } from "./lambda/lambda.ts";
import type { LambdaFunction, LambdaOptions } from "./lambda/lambda.ts";
import { createSchedules } from "./schedule.ts";

async function open(
  source: string,
  options: Partial<LambdaOptions> = {},
  more: Partial<LambdaFunction> = {},
) {
  const folder = await mkdtemp(join(tmpdir(), "burst-lambda-"));
  const file = join(folder, "index.mjs");
  await writeFile(file, source);
  const clock = createClock({ still: true });
  const failed: { destination: string; record: unknown }[] = [];
  let endpoint = "";
  const lambda = createLambda({
    clock,
    functions: [
      { name: "sample", file, environment: { GREETING: "hello" }, timeoutSeconds: 20, ...more },
    ],
    endpoint: () => endpoint,
    onFailure: (destination, record) => {
      failed.push({ destination, record });
      return Promise.resolve();
    },
    ...options,
  });
  const front = await startFront({ lambda: lambda.answer, kill: lambda.kill });
  endpoint = front.url;
  const client = new LambdaClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "TESTER", secretAccessKey: "nothing" },
    maxAttempts: 1,
  });
  afterAll(async () => {
    await lambda.close();
    await front.close();
    await rm(folder, { recursive: true });
  });
  const invoke = (event: unknown, type: "Event" | "RequestResponse" = "Event") =>
    client.send(
      new InvokeCommand({
        FunctionName: "sample",
        InvocationType: type,
        Payload: JSON.stringify(event),
      }),
    );
  /** Lets the next delivery happen, and waits for it. */
  const next = async (seconds = 0) => {
    await clock.advance(seconds * 1000);
    await lambda.idle();
  };
  return { lambda, clock, front, failed, invoke, next };
}

const echo = `
let calls = 0;
export async function handler(event, context) {
  console.log("called with", JSON.stringify(event));
  const seen = Object.keys(process.env).filter((name) => /^(HOME|DOCKER_HOST|GREETING|VITEST)$/.test(name));
  return { event, calls: ++calls, seen, key: process.env.AWS_ACCESS_KEY_ID, left: context.getRemainingTimeInMillis() > 15000 };
}`;

test("an asynchronous call is answered before it is done, and its process is used again", async () => {
  const { lambda, invoke, next } = await open(echo);
  expect(await invoke({ claim: "a" })).toMatchObject({ StatusCode: 202 });
  await next();
  await invoke({ claim: "b" });
  await next();
  expect(lambda.invocations.map(({ outcome }) => outcome)).toMatchObject([
    {
      kind: "result",
      result: {
        event: { claim: "a" },
        calls: 1,
        seen: ["GREETING"],
        key: accessKeyOf("sample"),
        left: true,
      },
    },
    { kind: "result", result: { event: { claim: "b" }, calls: 2 } },
  ]);
  expect(lambda.log("sample")).toContain('called with {"claim":"a"}');
  expect(lambda.coldStarts("sample")).toHaveLength(1);
});

test("a synchronous call gives the result", async () => {
  const { invoke } = await open(echo);
  const { Payload } = await invoke({ n: 1 }, "RequestResponse");
  expect(JSON.parse(Buffer.from(Payload ?? []).toString())).toMatchObject({ event: { n: 1 } });
});

test("a function that throws is tried twice more, and then its event is given up", async () => {
  const source = `export async function handler() { throw new TypeError("no"); }`;
  const { lambda, invoke, next, failed } = await open(source, {}, { destination: "queue" });
  await invoke({ claim: "a" });
  await next();
  await next(60);
  await next(120);
  await next(1000);
  expect(lambda.invocations.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  expect(failed).toMatchObject([
    {
      destination: "queue",
      record: {
        requestPayload: { claim: "a" },
        requestContext: { condition: "RetriesExhausted" },
        responsePayload: { errorType: "TypeError", errorMessage: "no" },
      },
    },
  ]);
});

test("one that takes too long is killed", async () => {
  const source = `export const handler = () => new Promise((done) => setTimeout(done, 60_000));`;
  const { lambda, invoke, next } = await open(source, {}, { timeoutSeconds: 0.5, retries: 0 });
  await invoke({});
  await next();
  expect(lambda.invocations).toMatchObject([{ outcome: { kind: "timeout" } }]);
});

test("deliveries are doubled now and then, the same ones for the same seed", async () => {
  const count = async (seed: number) => {
    const { lambda, invoke, next } = await open(echo, { seed, duplicates: 0.5 });
    const ids: number[] = [];
    for (let n = 0; n < 6; n++) {
      await invoke({ n });
      await next();
      ids.push(lambda.invocations.length);
    }
    return ids;
  };
  const [first, second, other] = [await count(7), await count(7), await count(8)];
  expect(first).toEqual(second);
  expect(first).not.toEqual(other);
  expect(first.at(-1)).toBeGreaterThan(6);
});

test("no more run at once than the function may, and the others come later", async () => {
  const source = `export const handler = () => new Promise((done) => setTimeout(done, 200));`;
  const { lambda, invoke, next } = await open(source, {}, { concurrency: 1 });
  await invoke({ n: 1 });
  await invoke({ n: 2 });
  await next();
  expect(lambda.invocations.filter(({ outcome }) => outcome === "throttled")).toHaveLength(1);
  await next(1);
  const done = lambda.invocations.filter(({ outcome }) => outcome !== "throttled");
  expect(done).toHaveLength(2);
  expect(done.map(({ attempt }) => attempt)).toEqual([1, 1]);
});

test("a process is killed when it has made a certain call, and its event is tried again", async () => {
  const source = `
export async function handler() {
  const answer = await fetch(process.env.AWS_ENDPOINT_URL + "/bucket/key", {
    method: "PUT",
    body: "x",
    headers: {
      authorization: "AWS4-HMAC-SHA256 Credential=" + process.env.AWS_ACCESS_KEY_ID + "/20260101/us-east-1/s3/aws4_request",
      "x-amz-security-token": process.env.AWS_SESSION_TOKEN,
    },
  });
  return answer.status;
}`;
  const { lambda, front, invoke, next } = await open(source);
  front.addFault({ when: ({ action }) => action === "PutObject", do: { kind: "kill-after" } });
  await invoke({});
  await next();
  await next(60);
  expect(lambda.invocations.map(({ outcome }) => outcome)).toMatchObject([
    { kind: "died" },
    { kind: "result", result: 501 },
  ]);
  expect(front.requests.filter(({ service }) => service === "s3")).toMatchObject([
    { caller: accessKeyOf("sample"), session: "sample/2", resource: "bucket/key" },
    { caller: accessKeyOf("sample"), resource: "bucket/key" },
  ]);
});

test("a schedule ticks as the clock goes", async () => {
  const { lambda, clock, next } = await open(echo);
  const schedules = createSchedules(clock, lambda);
  schedules.every(60, "sample");
  await next(59);
  expect(lambda.invocations).toHaveLength(0);
  await next(61);
  expect(lambda.invocations).toHaveLength(2);
  schedules.stop();
  await next(600);
  expect(lambda.invocations).toHaveLength(2);
});

test("an event over 1 MB is refused", async () => {
  const { invoke } = await open(echo);
  await expect(invoke({ text: "x".repeat(1_100_000) })).rejects.toMatchObject({
    name: "RequestTooLargeException",
  });
});

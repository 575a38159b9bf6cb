// The one address for all of AWS: what it keeps of a call, and what it does to it.

import { DescribeTasksCommand, ECSClient } from "@aws-sdk/client-ecs";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, expect, test } from "vitest";
import { startSimulatedEcs } from "./ecs-fake.ts";
import { startFront } from "./front.ts";

const credentials = { accessKeyId: "TESTER", secretAccessKey: "nothing", sessionToken: "fn/1" };

/** Something in moto's place that takes all it is given. */
async function open(now: () => number = Date.now) {
  const { ecs, close } = await startSimulatedEcs();
  const behind: string[] = [];
  const server = createServer((request, response) => {
    behind.push(`${request.method} ${request.url?.split("?")[0]} ${request.headers.host}`);
    request.resume().on("end", () => response.end());
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => {
    server.once("listening", resolve);
  });
  const moto = `http://localhost:${(server.address() as AddressInfo).port}`;
  const killed: string[] = [];
  const front = await startFront({ ecs, moto, now, kill: (session) => killed.push(session) });
  const settings = { endpoint: front.url, region: "us-east-1", credentials, maxAttempts: 1 };
  const s3 = new S3Client({
    ...settings,
    forcePathStyle: true,
    requestChecksumCalculation: "WHEN_REQUIRED",
  });
  afterAll(async () => {
    await front.close();
    await close();
    server.close();
  });
  const put = () => s3.send(new PutObjectCommand({ Bucket: "state", Key: "a/b", Body: "x" }));
  const sign = (more: object = {}, signed: string[] = []) =>
    getSignedUrl(s3, new PutObjectCommand({ Bucket: "state", Key: "a/b", ...more }), {
      expiresIn: 60,
      unhoistableHeaders: new Set(signed),
      signableHeaders: new Set(["host", ...signed]),
    });
  return { front, ecs: new ECSClient(settings), behind, killed, moto, put, sign };
}

test("a call is known by its caller, service, action and resource", async () => {
  const { front, ecs, put, sign } = await open();
  await put();
  await ecs.send(new DescribeTasksCommand({ cluster: "burst", tasks: ["x"] }));
  await fetch(await sign(), { method: "PUT", body: "x" });
  const caller = { caller: "TESTER", session: "fn/1", status: 200 };
  expect(front.requests).toMatchObject([
    { ...caller, service: "s3", action: "PutObject", resource: "state/a/b", presigned: false },
    {
      ...caller,
      service: "ecs",
      action: "DescribeTasks",
      resource: "burst",
      body: { tasks: ["x"] },
    },
    { ...caller, service: "s3", action: "PutObject", resource: "state/a/b", presigned: true },
  ]);
});

test("what no fake answers reaches moto under its own name", async () => {
  const { put, behind, moto } = await open();
  await put();
  expect(behind).toEqual([`PUT /state/a/b ${new URL(moto).host}`]);
});

test("a signed address ends, and its signed headers have to come along", async () => {
  let late = 0;
  const { sign, behind } = await open(() => Date.now() + late);
  const url = await sign({ IfNoneMatch: "*" }, ["if-none-match"]);
  expect((await fetch(url, { method: "PUT", body: "x" })).status).toBe(403);
  const headers = { "if-none-match": "*" };
  expect((await fetch(url, { method: "PUT", body: "x", headers })).status).toBe(200);
  late = 62_000;
  const over = await fetch(url, { method: "PUT", body: "x", headers });
  expect([over.status, await over.text()]).toEqual([403, expect.stringContaining("has expired")]);
  expect(behind).toHaveLength(1);
});

test("a call that is cut is not done, one whose answer is dropped is", async () => {
  const { front, put, behind } = await open();
  const when = ({ action }: { readonly action: string }) => action === "PutObject";
  front.addFault({ when, do: { kind: "cut" } });
  await expect(put()).rejects.toMatchObject({ code: "ECONNRESET" });
  expect(behind).toHaveLength(0);
  front.addFault({ when, do: { kind: "drop-answer" } });
  await expect(put()).rejects.toMatchObject({ code: "ECONNRESET" });
  expect(behind).toHaveLength(1);
  await put();
  expect(behind).toHaveLength(2);
});

test("a call can be answered with an error of the service", async () => {
  const { front, ecs } = await open();
  const call = () => ecs.send(new DescribeTasksCommand({ cluster: "burst", tasks: ["x"] }));
  const when = ({ service }: { readonly service: string }) => service === "ecs";
  front.addFault({ when, do: { kind: "fail", status: 400, type: "ThrottlingException" } });
  await expect(call()).rejects.toMatchObject({ name: "ThrottlingException" });
  front.addFault({ when, do: { kind: "fail", status: 500 } });
  await expect(call()).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
});

test("its caller is killed before or after the call is done", async () => {
  const { front, put, behind, killed } = await open();
  const when = () => true;
  front.addFault({ when, do: { kind: "kill-before" } });
  await expect(put()).rejects.toMatchObject({ code: "ECONNRESET" });
  expect([killed, behind.length]).toEqual([["fn/1"], 0]);
  front.addFault({ when, do: { kind: "kill-after" } });
  await expect(put()).rejects.toMatchObject({ code: "ECONNRESET" });
  expect([killed, behind.length]).toEqual([["fn/1", "fn/1"], 1]);
});

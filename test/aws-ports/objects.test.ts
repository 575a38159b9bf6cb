import { S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createObjects } from "../../src/aws/objects.ts";
import type { Objects } from "../../src/aws/objects.ts";
import { startAnsweringServer } from "./answering-server.ts";
import type { Answer, AnsweringServer } from "./answering-server.ts";

let server: AnsweringServer;
let client: S3Client;
let objects: Objects;

beforeAll(async () => {
  server = await startAnsweringServer();
  client = new S3Client({
    endpoint: server.url,
    region: "eu-central-1",
    credentials: { accessKeyId: "testing", secretAccessKey: "testing" },
    forcePathStyle: true,
    requestChecksumCalculation: "WHEN_REQUIRED",
    maxAttempts: 2,
  });
  objects = createObjects(client, "state");
});

afterAll(async () => {
  client.destroy();
  await server.close();
});

const written: Answer = { status: 200, headers: { etag: '"mark"' }, body: "" };
const failedCondition = xml(412, "PreconditionFailed");
const conflict = xml(409, "ConditionalRequestConflict");

function xml(status: number, code: string): Answer {
  return { status, body: `<Error><Code>${code}</Code><Message>no</Message></Error>` };
}

test("two writers at the same moment: told so, the one asks again", async () => {
  server.answer(conflict, conflict, written);
  expect(await objects.create("key", "mine")).toEqual({ kind: "written", etag: '"mark"' });
  expect(server.requests).toHaveLength(3);
});

test("a writer that is told so for ever gives up with an error", async () => {
  server.answer(conflict);
  await expect(objects.create("key", "mine")).rejects.toThrow("no");
});

test("where the answer to a write was lost, the write itself does not forbid the second one", async () => {
  const there: Answer = { status: 200, headers: { etag: '"mark"' }, body: "mine" };
  server.answer("hang up", failedCondition, there);
  expect(await objects.create("key", "mine")).toEqual({ kind: "written", etag: '"mark"' });
  server.answer("hang up", failedCondition, there);
  expect(await objects.replace("key", "mine", '"before"')).toEqual({
    kind: "written",
    etag: '"mark"',
  });
});

test("where another one wrote while the answer was lost, that one has it", async () => {
  server.answer("hang up", failedCondition, {
    status: 200,
    headers: { etag: '"mark"' },
    body: "theirs",
  });
  expect(await objects.create("key", "mine")).toEqual({ kind: "exists" });
});

test("a first refusal is believed without looking: the same text may be somebody else's", async () => {
  server.answer(failedCondition);
  expect(await objects.create("key", "mine")).toEqual({ kind: "exists" });
  expect(server.requests).toHaveLength(1);
});

test("an object that may not be looked at is an error, not an absent one", async () => {
  server.answer({ status: 403, body: "" });
  await expect(objects.exists("key")).rejects.toThrow(/403|forbidden|unknown/i);
  server.answer(xml(403, "AccessDenied"));
  await expect(objects.read("key")).rejects.toThrow("no");
});

test("what S3 could not remove is told", async () => {
  server.answer({
    status: 200,
    body: "<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code></Error></DeleteResult>",
  });
  await expect(objects.remove(["a", "b"])).rejects.toThrow(
    "1 of 2 objects of state; a: AccessDenied",
  );
});

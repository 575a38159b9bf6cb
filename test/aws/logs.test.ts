import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createLogs } from "../../src/aws/logs.ts";
import type { Logs } from "../../src/aws/logs.ts";
import { startMoto } from "../harness/moto.ts";
import type { Moto } from "../harness/moto.ts";

let moto: Moto;
let client: CloudWatchLogsClient;
let logs: Logs;

beforeAll(async () => {
  moto = await startMoto();
  client = new CloudWatchLogsClient({
    endpoint: moto.url,
    region: "eu-central-1",
    credentials: { accessKeyId: "testing", secretAccessKey: "testing" },
  });
  logs = createLogs(client, "/burst/jobs");
  await client.send(new CreateLogGroupCommand({ logGroupName: "/burst/jobs" }));
});

afterAll(async () => {
  client.destroy();
  await moto.close();
});

async function say(logStreamName: string, ...texts: readonly string[]) {
  const now = Date.now();
  const logEvents = texts.map((message, index) => ({ message, timestamp: now + index }));
  const where = { logGroupName: "/burst/jobs", logStreamName };
  await client.send(new PutLogEventsCommand({ ...where, logEvents }));
}

async function open(logStreamName: string) {
  await client.send(new CreateLogStreamCommand({ logGroupName: "/burst/jobs", logStreamName }));
}

test("a stream is read from its beginning, and then from where the last part ended", async () => {
  await open("team/agent/one");
  await say("team/agent/one", "first", "second");
  const part = await logs.read("team/agent/one");
  expect(part.lines.map(({ text }) => text)).toEqual(["first", "second"]);
  await say("team/agent/one", "third");
  const more = await logs.read("team/agent/one", part.next);
  expect(more.lines.map(({ text }) => text)).toEqual(["third"]);
  const end = await logs.read("team/agent/one", more.next);
  expect(end).toEqual({ lines: [], next: more.next });
});

test("a stream that is not there yet is empty", async () => {
  expect(await logs.read("team/agent/none")).toEqual({ lines: [], next: undefined });
});

test("streams are found by the beginning of their names", async () => {
  await open("found/agent/one");
  await open("found/svc-0-postgres/one");
  await open("lost/agent/one");
  const names = (await logs.streams("found/")).map(({ name }) => name);
  expect(names.toSorted()).toEqual(["found/agent/one", "found/svc-0-postgres/one"]);
});

test("a group that is not there has no streams", async () => {
  expect(await createLogs(client, "/nowhere").streams("a")).toEqual([]);
});

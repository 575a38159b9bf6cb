import { onTestFinished, expect, test } from "vitest";
import { fetchHandOff } from "../../../src/agent/task/fetch-hand-off.ts";
import { openStorage } from "../../../src/agent/task/storage.ts";
import { readTrust } from "../../../src/gitlab/trust.ts";
import { never } from "../archive/workshop.ts";
import { buildHandOff } from "../build-hand-off.ts";
import { grantsOf, startBucket } from "./bucket.ts";
import type { Bucket } from "./bucket.ts";

async function fetching(
  prepare: (bucket: Bucket) => void,
  urlOf: (bucket: Bucket) => string = (bucket) => bucket.sign("GET", "hand-off.json").url,
) {
  const bucket = await startBucket();
  onTestFinished(() => bucket.close());
  prepare(bucket);
  let now = 0;
  const fetched = fetchHandOff(urlOf(bucket), {
    storage: openStorage({
      trust: readTrust({}, {}),
      env: {},
      timeoutSeconds: 5,
      signal: never,
      sleep: () => Promise.resolve(),
    }),
    signal: never,
    now: () => now,
    sleep: (milliseconds) => {
      now += milliseconds;
      return Promise.resolve();
    },
  });
  const result = await fetched.then(
    (job) => ({ job, message: "" }),
    (cause: unknown) => ({ job: undefined, message: String(cause) }),
  );
  return { ...result, bucket, waited: now };
}

function whole(bucket: Bucket): string {
  return JSON.stringify({
    ...buildHandOff("/tmp"),
    executor: "fargate",
    task: {
      jobKey: "k",
      attempt: 1,
      trace: "",
      notices: [],
      jobContainer: "job",
      services: [],
      hosts: [],
      memoryMiB: 1,
      logs: { region: "eu-west-1", group: "g", streamPrefix: "p" },
      grants: grantsOf(bucket, 0),
    },
  });
}

test("the hand-off is fetched, though the bucket is out of reach at first", async () => {
  const { job, bucket } = await fetching((at) => {
    at.objects.set("hand-off.json", whole(at));
    at.fail("hand-off.json", "cut", 503, "cut");
  });
  expect(job?.task.attempt).toBe(1);
  expect(bucket.seen).toHaveLength(4);
});

test("after a minute there is none, and the message holds no address that could be used", async () => {
  const { message, waited } = await fetching(() => undefined);
  expect(message).toContain("the hand-off could not be fetched: there is no such object");
  expect(waited).toBeGreaterThan(50_000);
  expect(waited).toBeLessThanOrEqual(60_000);
  const dead = await fetching((at) => at.close());
  expect(dead.message).not.toContain("X-Method");
});

test.each([
  ["rubbish", () => "rubbish", "is none"],
  ["one for another executor", () => JSON.stringify(buildHandOff("/tmp")), "nothing about a task"],
])("%s is no hand-off, and is not asked for again", async (_name, text, why) => {
  const { message, bucket } = await fetching((at) => at.objects.set("hand-off.json", text()));
  expect(message).toContain(why);
  expect(bucket.seen).toHaveLength(1);
});

test("an address that is none is told without it", async () => {
  const { message } = await fetching(
    () => undefined,
    () => "s3cret",
  );
  expect(message).toContain("no URL");
  expect(message).not.toContain("s3cret");
});

import { onTestFinished, expect, test } from "vitest";
import { passFence } from "../../../src/agent/task/fence.ts";
import { openStorage } from "../../../src/agent/task/storage.ts";
import { readTrust } from "../../../src/gitlab/trust.ts";
import { never } from "../archive/workshop.ts";
import { grantsOf, startBucket } from "./bucket.ts";
import type { Bucket } from "./bucket.ts";

const own = { attempt: 2, nonce: "ours" };
const another = JSON.stringify({ attempt: 1, nonce: "theirs" });

async function atFence(prepare: (bucket: Bucket) => void = () => undefined, withOwner = true) {
  const bucket = await startBucket();
  onTestFinished(() => bucket.close());
  prepare(bucket);
  let now = 0;
  const said: string[] = [];
  const { startedBy, ...others } = grantsOf(bucket, 0);
  const passed = await passFence(
    {
      storage: openStorage({
        trust: readTrust({}, {}),
        env: {},
        timeoutSeconds: 5,
        signal: never,
        sleep: () => Promise.resolve(),
      }),
      grants: () =>
        Promise.resolve(
          withOwner && startedBy !== undefined ? { ...others, startedBy } : { ...others },
        ),
      now: () => now,
      sleep: (milliseconds) => {
        now += milliseconds;
        return Promise.resolve();
      },
      diagnostic: (text) => said.push(text),
    },
    own,
  );
  return { passed, bucket, said: said.join(), waited: now };
}

test("whoever makes the object may go on, and it holds whose it is", async () => {
  const { passed, bucket } = await atFence();
  expect(passed).toBe(true);
  expect(JSON.parse(bucket.objects.get("started") ?? "")).toEqual(own);
});

test("whoever finds it made does not, and asks no more", async () => {
  const { passed, bucket, said } = await atFence((at) => at.objects.set("started", another));
  expect(passed).toBe(false);
  expect(bucket.seen).toEqual(["PUT started 412"]);
  expect(said).toBe("another attempt of this job has begun: nothing is run");
});

test.each([
  ["a connection that was cut", "cut"],
  ["storage in trouble", 503],
  ["a race that storage did not decide", 409],
  ["a refusal that may pass", 403],
] as const)("after %s it is asked again", async (_name, fault) => {
  const { passed, bucket } = await atFence((at) => at.fail("started", fault, fault));
  expect(passed).toBe(true);
  expect(bucket.seen).toHaveLength(3);
});

test("a yes that was lost on its way is found again: what refuses us is our own", async () => {
  const { passed, bucket } = await atFence((at) => at.fail("started", "lost"));
  expect(passed).toBe(true);
  expect(bucket.seen).toEqual(["PUT started 0", "PUT started 412", "GET started 200"]);
});

test("without an answer, and then refused by another attempt: nothing is run", async () => {
  const { passed, said } = await atFence((at) => {
    at.fail("started", "cut");
    at.objects.set("started", another);
  });
  expect(passed).toBe(false);
  expect(said).toContain("another attempt");
});

test.each([
  ["it cannot be read", true],
  ["there is no address to read it by", false],
])("an answer was lost and %s: nothing is run", async (_name, withOwner) => {
  const { passed, said } = await atFence((at) => {
    at.fail("started", "lost", 412, ...Array<number>(40).fill(500));
  }, withOwner);
  expect(passed).toBe(false);
  expect(said).toBe("whether this attempt may run the job could not be found out: nothing is run");
});

test("nobody answers for half a minute: nothing is run, and no address is told", async () => {
  const { passed, said, waited } = await atFence((at) =>
    at.fail("started", ...Array<"cut">(60).fill("cut")),
  );
  expect(passed).toBe(false);
  expect(waited).toBeGreaterThan(20_000);
  expect(waited).toBeLessThanOrEqual(30_000);
  expect(said).toContain("nobody could say that this attempt may run the job");
  expect(said).not.toContain("X-Method");
});

import { onTestFinished, expect, test } from "vitest";
import { openGrants } from "../../../src/agent/task/grants.ts";
import { openStorage } from "../../../src/agent/task/storage.ts";
import type { Grants } from "../../../src/core/hand-off.ts";
import { readTrust } from "../../../src/gitlab/trust.ts";
import { patient } from "../../harness/patient.ts";
import { never } from "../archive/workshop.ts";
import { grantsOf, startBucket } from "./bucket.ts";

const minute = 60_000;

async function opened() {
  const bucket = await startBucket();
  const over = new AbortController();
  onTestFinished(() => {
    over.abort();
    bucket.close();
  });
  const clock = { now: 0, tick: (): void => undefined };
  const grants = openGrants(grantsOf(bucket, 0, ["a"]), {
    storage: openStorage({
      trust: readTrust({}, {}),
      env: {},
      timeoutSeconds: 5,
      signal: never,
      sleep: () => Promise.resolve(),
    }),
    now: () => clock.now,
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        if (milliseconds < minute) return resolve();
        clock.tick = () => {
          clock.now += milliseconds;
          resolve();
        };
        signal?.addEventListener("abort", () => resolve());
      }),
    over: over.signal,
  });
  const put = (newer: Grants) => bucket.objects.set("grants.json", JSON.stringify(newer));
  return { bucket, grants, clock, put };
}

test("addresses are used as they are for 20 minutes", async () => {
  const { grants, bucket, clock } = await opened();
  clock.now = 19 * minute;
  expect((await grants.fresh()).signedAt).toBe(0);
  expect(bucket.seen).toEqual([]);
});

test("older ones are renewed before they are used, those of the caches too", async () => {
  const { grants, bucket, clock, put } = await opened();
  put(grantsOf(bucket, 18 * minute, ["a", "b"]));
  clock.now = 21 * minute;
  expect([...grants.caches.keys()]).toEqual(["a"]);
  const both = await Promise.all([grants.fresh(), grants.fresh()]);
  expect(both.map(({ signedAt }) => signedAt)).toEqual([18 * minute, 18 * minute]);
  expect([...grants.caches.keys()]).toEqual(["a", "b"]);
  expect(bucket.seen).toEqual(["GET grants.json 200"]);
});

test.each([
  ["there are none yet", undefined],
  ["what is there cannot be read", "rubbish"],
])("the old ones are used where %s", async (_name, text) => {
  const { grants, bucket, clock } = await opened();
  if (text !== undefined) bucket.objects.set("grants.json", text);
  clock.now = 30 * minute;
  expect((await grants.fresh()).signedAt).toBe(0);
});

test("a bucket that does not answer is asked three times", async () => {
  const { grants, bucket, clock, put } = await opened();
  bucket.fail("grants.json", "cut", 503);
  put(grantsOf(bucket, 25 * minute));
  clock.now = 30 * minute;
  expect((await grants.fresh()).signedAt).toBe(25 * minute);
});

test("a long job renews them unasked: the way to new ones is among the old, and ends with them", async () => {
  const { grants, bucket, clock, put } = await opened();
  const second = bucket.sign("GET", "second.json");
  put({ ...grantsOf(bucket, 19 * minute), renewed: second });
  for (let tick = 0; tick < 4; tick++) {
    clock.tick();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  await expect.poll(() => bucket.seen, patient).toEqual(["GET grants.json 200"]);
  bucket.objects.delete("grants.json");
  bucket.objects.set("second.json", JSON.stringify(grantsOf(bucket, 60 * minute)));
  clock.now = 61 * minute;
  expect((await grants.fresh()).signedAt).toBe(60 * minute);
});

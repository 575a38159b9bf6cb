import { expect, test } from "vitest";
import { allFeatures, gitLab } from "./gitlab.ts";

const interval = "x-gitlab-trace-update-interval";

test("S10 PUT running is 200 with the body 200 and Job-Status, and names no interval", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  const answer = await gitlab.put(job, { state: "running" });
  expect(answer).toMatchObject({ status: 200, text: "200" });
  expect(answer.headers.get("job-status")).toBe("running");
  expect(answer.headers.get(interval)).toBeNull();
  expect(answer.headers.get("content-type")).toBe("application/json");
});

test.each(["pending", "canceled", "preparing", ""])(
  "S11 PUT with the state '%s' is 400 and changes nothing",
  async (state) => {
    const gitlab = await gitLab();
    await gitlab.standIn.enqueue();
    const job = await gitlab.claim();
    expect((await gitlab.put(job, { state })).status).toBe(400);
    expect(gitlab.standIn.job(job.id).status).toBe("running");
  },
);

test.each([
  { end: { state: "success" }, status: "success" },
  { end: { state: "failed", failure_reason: "script_failure" }, status: "failed" },
])("S12 PUT and PATCH on a $status job are 403 with Job-Status", async ({ end, status }) => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  expect((await gitlab.put(job, end)).status).toBe(200);
  for (const answer of [await gitlab.put(job, end), await gitlab.patch(job, 0, "late")]) {
    expect(answer.status).toBe(403);
    expect(answer.headers.get("job-status")).toBe(status);
  }
  expect(gitlab.standIn.job(job.id).traceSize).toBe(0);
});

test("S12 a job canceled without grace is over for its runner", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim({
    info: { features: { ...allFeatures, cancel_gracefully: false } },
  });
  gitlab.standIn.cancel(job.id);
  const answer = await gitlab.put(job, { state: "running" });
  expect(answer.status).toBe(403);
  expect(answer.headers.get("job-status")).toBe("canceled");
});

test("S13 a wrong job token, or that of another job, is 403 without Job-Status", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  const other = await gitlab.claim();
  for (const token of ["glcbt-64_wrong", other.token]) {
    const forged = { id: job.id, token };
    for (const answer of [
      await gitlab.put(forged, { state: "running" }),
      await gitlab.patch(forged, 0, "x"),
    ]) {
      expect(answer.status).toBe(403);
      expect(answer.headers.get("job-status")).toBeNull();
    }
  }
});

test("S13 an unknown job is 403 as well, not 404", async () => {
  const gitlab = await gitLab();
  const answer = await gitlab.put({ id: 4711, token: "x" }, { state: "running" });
  expect(answer.status).toBe(403);
});

test("S19 a final PUT with a checksum waits, 1, 2, 4 to 64 s, until the log is stored", async () => {
  const gitlab = await gitLab({ clock: true, traceCommitDelaySeconds: 200 });
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  await gitlab.patch(job, 0, "hello");
  const final = { state: "success", output: { checksum: "crc32:3610a686", bytesize: 5 } };
  const start = gitlab.clock.now;
  const waits: [number, string | null][] = [];
  for (const seconds of [0, 3, 4, 8, 16, 32, 64, 128]) {
    gitlab.clock.now = start + seconds * 1000;
    const answer = await gitlab.put(job, final);
    expect(answer).toMatchObject({ status: 202, text: "202" });
    expect(answer.headers.get("job-status")).toBe("running");
    waits.push([seconds, answer.headers.get(interval)]);
  }
  expect(waits).toEqual([
    [0, "1"],
    [3, "1"],
    [4, "2"],
    [8, "4"],
    [16, "8"],
    [32, "16"],
    [64, "32"],
    [128, "64"],
  ]);
  gitlab.clock.now = start + 200_000;
  const answer = await gitlab.put(job, final);
  expect(answer.status).toBe(200);
  expect(answer.headers.get(interval)).toBeNull();
  expect(gitlab.standIn.job(job.id).status).toBe("success");
});

test("S19 after 5 minutes the state is taken, stored or not", async () => {
  const gitlab = await gitLab({ clock: true, traceCommitDelaySeconds: 10_000 });
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  await gitlab.patch(job, 0, "hello");
  const final = { state: "success", output: { checksum: "crc32:3610a686", bytesize: 5 } };
  expect((await gitlab.put(job, final)).status).toBe(202);
  gitlab.clock.now += 300_000;
  expect((await gitlab.put(job, final)).status).toBe(202);
  gitlab.clock.now += 1;
  expect((await gitlab.put(job, final)).status).toBe(200);
});

test.each([
  { what: "keep-alive", body: { state: "running", output: { checksum: "crc32:00000000" } } },
  { what: "final state without checksum", body: { state: "success" } },
])("S19 a $what does not wait for the log", async ({ body }) => {
  const gitlab = await gitLab({ traceCommitDelaySeconds: 100 });
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  await gitlab.patch(job, 0, "hello");
  expect((await gitlab.put(job, body)).status).toBe(200);
});

test("S20 a bad checksum is still 200", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  await gitlab.patch(job, 0, "hello");
  const answer = await gitlab.put(job, {
    state: "success",
    output: { checksum: "crc32:ffffffff", bytesize: 1 },
  });
  expect(answer.status).toBe(200);
  const { traceChecksum, reported } = gitlab.standIn.job(job.id);
  expect(traceChecksum).toBe("crc32:3610a686");
  expect(reported).toEqual({ checksum: "crc32:ffffffff", bytesize: 1 });
});

test.each(["success", "failed"])(
  "S21 a canceling job may PATCH, PUT and upload, and %s makes it canceled",
  async (state) => {
    const gitlab = await gitLab();
    await gitlab.standIn.enqueue();
    const job = await gitlab.claim();
    gitlab.standIn.cancel(job.id);
    const patched = await gitlab.patch(job, 0, "hello");
    expect(patched.status).toBe(202);
    expect(patched.headers.get("job-status")).toBe("canceling");
    expect((await gitlab.upload(job, { bytes: "zip" })).status).toBe(201);
    const kept = await gitlab.put(job, { state: "running" });
    expect(kept.status).toBe(200);
    expect(kept.headers.get("job-status")).toBe("canceling");
    const final = await gitlab.put(job, { state, failure_reason: "unknown_failure" });
    expect(final.status).toBe(200);
    expect(final.headers.get("job-status")).toBe("canceled");
    expect(gitlab.standIn.job(job.id)).toMatchObject({
      status: "canceled",
      failureReason: undefined,
    });
  },
);

test("a forced cancel ends a canceling job at once", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  gitlab.standIn.cancel(job.id);
  gitlab.standIn.cancel(job.id);
  expect(gitlab.standIn.job(job.id).status).toBe("canceling");
  gitlab.standIn.cancel(job.id, { force: true });
  expect(gitlab.standIn.job(job.id).status).toBe("canceled");
});

test("S25 more updates of a job a minute than the limit get 429 with Retry-After", async () => {
  const limits = { jobCallsPerMinute: 5, tracesPerMinute: 1 };
  const gitlab = await gitLab({ clock: true, rateLimits: limits });
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  for (let count = 0; count < 5; count += 1) await gitlab.put(job, { state: "running" });
  const answer = await gitlab.put(job, { state: "running" });
  expect(answer.status).toBe(429);
  expect(answer.headers.get("retry-after")).toBe("60");
  expect((await gitlab.patch(job, 0, "a")).status).toBe(202);
  expect((await gitlab.patch(job, 1, "b")).status).toBe(429);
});

test.each([
  { given: "script_failure", kept: "script_failure" },
  { given: "runner_interrupted", kept: "runner_interrupted" },
  { given: "made_up", kept: "unknown_failure" },
  { given: undefined, kept: "unknown_failure" },
])("the failure reason $given is kept as $kept, with the exit code", async ({ given, kept }) => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  await gitlab.put(job, { state: "failed", failure_reason: given, exit_code: 3 });
  expect(gitlab.standIn.job(job.id)).toMatchObject({
    status: "failed",
    failureReason: kept,
    exitCode: 3,
  });
});

test.each([
  { what: "an output that is no object", body: { state: "success", output: "crc32" } },
  { what: "a size that is no number", body: { state: "success", output: { bytesize: "many" } } },
  { what: "an exit code that is no number", body: { state: "failed", exit_code: "three" } },
  { what: "a state that is no text", body: { state: ["success"] } },
])("PUT with $what is 400", async ({ body }) => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  expect((await gitlab.put(job, body)).status).toBe(400);
  expect(gitlab.standIn.job(job.id).status).toBe("running");
});

test("PUT needs the token in its body: the header alone is 400", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  const answer = await gitlab.call("PUT", `/api/v4/jobs/${String(job.id)}`, {
    headers: { "job-token": job.token },
    json: { state: "running" },
  });
  expect(answer).toMatchObject({ status: 400, json: { error: "token is missing" } });
});

test("a job of which nothing is heard for an hour is dropped", async () => {
  const gitlab = await gitLab({ clock: true, jobTimeoutSeconds: 36_000 });
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  gitlab.clock.now += 59 * 60_000;
  expect((await gitlab.put(job, { state: "running" })).status).toBe(200);
  gitlab.clock.now += 60 * 60_000;
  const answer = await gitlab.put(job, { state: "running" });
  expect(answer.status).toBe(403);
  expect(answer.headers.get("job-status")).toBe("failed");
  expect(gitlab.standIn.job(job.id).failureReason).toBe("no_updates_running");
});

test("a job 15 minutes beyond its timeout is dropped, however lively it is", async () => {
  const gitlab = await gitLab({ clock: true });
  await gitlab.standIn.enqueue({ timeoutSeconds: 600 });
  const job = await gitlab.claim();
  gitlab.clock.now += 24 * 60_000;
  expect((await gitlab.put(job, { state: "running" })).status).toBe(200);
  gitlab.clock.now += 60_000;
  gitlab.standIn.tick();
  expect(gitlab.standIn.job(job.id)).toMatchObject({
    status: "failed",
    failureReason: "server_timeout_running",
  });
});

import { expect, test, vi } from "vitest";
import { allFeatures, gitLab, record } from "./gitlab.ts";

const lastUpdate = "x-gitlab-last-update";

test("S1 a wrong runner token is refused with 403", async () => {
  const gitlab = await gitLab();
  const answer = await gitlab.requestJob({ token: "glrt-nobody" });
  expect(answer.status).toBe(403);
  expect(answer.json).toEqual({ message: "403 Forbidden" });
});

test("a request without a token is refused with 400, not 403", async () => {
  const gitlab = await gitLab();
  const answer = await gitlab.requestJob({ token: undefined });
  expect(answer.status).toBe(400);
  expect(answer.json).toEqual({ error: "token is missing" });
});

test("S2 a paused runner gets 204 with the queue value, even when a job waits", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  gitlab.standIn.pauseRunner(true);
  const answer = await gitlab.requestJob();
  expect(answer.status).toBe(204);
  expect(answer.headers.get(lastUpdate)).toBeTruthy();
  gitlab.standIn.pauseRunner(false);
  expect((await gitlab.requestJob()).status).toBe(201);
});

test("S3 a last_update equal to the queue value gets 204 and the same value back", async () => {
  const gitlab = await gitLab();
  const value = (await gitlab.requestJob()).headers.get(lastUpdate);
  const answer = await gitlab.requestJob({ last_update: value });
  expect(answer.status).toBe(204);
  expect(answer.headers.get(lastUpdate)).toBe(value);
});

test("S4 no job and a stale last_update: 204 with a new value", async () => {
  const gitlab = await gitLab();
  const answer = await gitlab.requestJob({ last_update: "stale" });
  expect(answer.status).toBe(204);
  expect(answer.headers.get(lastUpdate)).not.toBe("stale");
  expect(answer.headers.get(lastUpdate)).toBeTruthy();
});

test("S4 a new job changes the queue value, so that an echo of the old one is served", async () => {
  const gitlab = await gitLab();
  const before = (await gitlab.requestJob()).headers.get(lastUpdate);
  await gitlab.standIn.enqueue();
  expect((await gitlab.requestJob({ last_update: before })).status).toBe(201);
});

test("S5 a lost race is 409, and the next request gets the job", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  gitlab.standIn.loseRaces(1);
  const answer = await gitlab.requestJob();
  expect(answer.status).toBe(409);
  expect(answer.json).toEqual({ message: "409 Conflict" });
  expect((await gitlab.requestJob()).status).toBe(201);
});

test("S6 a long poll ends with 204 without a queue value, and the next request is served", async () => {
  const gitlab = await gitLab({ longPollSeconds: 30 });
  const value = (await gitlab.requestJob()).headers.get(lastUpdate);
  const held = gitlab.requestJob({ last_update: value });
  await vi.waitUntil(() => gitlab.standIn.requests()[1]?.body !== undefined, { interval: 5 });
  await gitlab.standIn.enqueue();
  const answer = await held;
  expect(answer.status).toBe(204);
  expect(answer.headers.get(lastUpdate)).toBeNull();
  expect(answer.headers.get("gitlab-ci-builds-polling")).toBe("yes");
  expect((await gitlab.requestJob({ last_update: value })).status).toBe(201);
});

test("S6 a long poll in which nothing happens ends the same way", async () => {
  const gitlab = await gitLab({ longPollSeconds: 0.05 });
  const value = (await gitlab.requestJob()).headers.get(lastUpdate);
  const answer = await gitlab.requestJob({ last_update: value });
  expect(answer.status).toBe(204);
  expect(answer.headers.get(lastUpdate)).toBeNull();
});

test("S6 a request whose last_update is stale is not held", async () => {
  const gitlab = await gitLab({ longPollSeconds: 30 });
  const answer = await gitlab.requestJob({ last_update: "stale" });
  expect(answer.headers.get(lastUpdate)).toBeTruthy();
});

test("S7 a body above 32 KiB is refused with 413, one of exactly that size is not", async () => {
  const gitlab = await gitLab();
  const body = JSON.stringify({ token: gitlab.standIn.runnerToken, padding: "" });
  const send = (size: number) =>
    gitlab.call("POST", "/api/v4/jobs/request", {
      headers: { "content-type": "application/json" },
      body: body.replace('""', `"${"x".repeat(size - body.length)}"`),
    });
  expect((await send(32 * 1024)).status).toBe(204);
  expect((await send(32 * 1024 + 1)).status).toBe(413);
});

test.each([
  {
    feature: "upload_multiple_artifacts",
    raw: { artifacts: [{ artifact_type: "junit", artifact_format: "gzip" as const }] },
  },
  { feature: "artifacts_exclude", raw: { artifacts: [{ paths: ["a"], exclude: ["b"] }] } },
  { feature: "return_exit_code", raw: { allowFailure: { exitCodes: [3] } } },
  { feature: "return_exit_code", raw: { retry: { max: 1, when: [], exitCodes: [3] } } },
  { feature: "fallback_cache_keys", raw: { cache: [{ paths: ["a"], fallback_keys: ["k"] }] } },
  {
    feature: "multi_build_steps",
    raw: { payload: { steps: [{ name: "release", script: ["true"] }] } },
  },
  { feature: "vault_secrets", raw: { payload: { secrets: { PASSWORD: { vault: {} } } } } },
])(
  "S8 a job that needs $feature fails as runner_unsupported, the next one is offered",
  async (given) => {
    const gitlab = await gitLab();
    const demanding = await gitlab.standIn.enqueue({ name: "demanding", ...given.raw });
    const plain = await gitlab.standIn.enqueue({ name: "plain" });
    const features = { ...allFeatures, [given.feature]: false };
    const claimed = await gitlab.claim({ info: { features } });
    expect(claimed.id).toBe(plain.id);
    expect(gitlab.standIn.job(demanding.id)).toMatchObject({
      status: "failed",
      failureReason: "runner_unsupported",
    });
  },
);

test("S8 a runner with all features gets the job", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue({ artifacts: [{ paths: ["a"], exclude: ["b"] }] });
  expect((await gitlab.requestJob()).status).toBe(201);
});

test("S9 after the 201 the job is running, and nobody else gets it", async () => {
  const gitlab = await gitLab();
  const job = await gitlab.standIn.enqueue();
  const [first, second] = await Promise.all([gitlab.requestJob(), gitlab.requestJob()]);
  expect([first.status, second.status].toSorted()).toEqual([201, 204]);
  expect(gitlab.standIn.job(job.id).status).toBe("running");
});

test("S25 more job requests a minute than the limit get 429 with Retry-After", async () => {
  const gitlab = await gitLab({ clock: true, rateLimits: { jobRequestsPerMinute: 2 } });
  expect((await gitlab.requestJob()).status).toBe(204);
  expect((await gitlab.requestJob()).status).toBe(204);
  const answer = await gitlab.requestJob();
  expect(answer.status).toBe(429);
  expect(answer.headers.get("retry-after")).toBe("60");
  gitlab.clock.now += 60_000;
  expect((await gitlab.requestJob()).status).toBe(204);
});

test("jobs are handed out in the order they were queued", async () => {
  const gitlab = await gitLab();
  const ids = [await gitlab.standIn.enqueue(), await gitlab.standIn.enqueue()].map((job) => job.id);
  expect([(await gitlab.claim()).id, (await gitlab.claim()).id]).toEqual(ids);
});

test.each([
  { tags: [], runnerTags: [], gets: true },
  { tags: ["a"], runnerTags: [], gets: false },
  { tags: ["a"], runnerTags: ["a", "b"], gets: true },
  { tags: ["a", "c"], runnerTags: ["a", "b"], gets: false },
])("a job with tags $tags and a runner with $runnerTags: handed out is $gets", async (given) => {
  const gitlab = await gitLab({ runnerTags: given.runnerTags });
  await gitlab.standIn.enqueue({ tags: given.tags });
  expect((await gitlab.requestJob()).status).toBe(given.gets ? 201 : 204);
});

test("a runner that only takes tagged jobs does not get others", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  const created = await gitlab.rest("POST", "/user/runners", {
    runner_type: "instance_type",
    run_untagged: false,
    tag_list: ["special"],
  });
  const { token } = record(created.json);
  expect((await gitlab.requestJob({ token })).status).toBe(204);
  await gitlab.standIn.enqueue({ tags: ["special"] });
  expect((await gitlab.requestJob({ token })).status).toBe(201);
});

test.each([
  { what: "no content type", headers: { "content-type": "" }, status: 415 },
  { what: "XML", headers: { "content-type": "application/xml" }, status: 415 },
  { what: "JSON that is none", headers: { "content-type": "application/json" }, status: 400 },
])("a job request with $what is refused with $status", async ({ headers, status }) => {
  const gitlab = await gitLab();
  const body = Buffer.from("{token:");
  const answer = await gitlab.call("POST", "/api/v4/jobs/request", { headers, body });
  expect(answer.status).toBe(status);
});

test("a form is as good as JSON", async () => {
  const gitlab = await gitLab();
  const answer = await gitlab.call("POST", "/api/v4/runners/verify", {
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ token: gitlab.standIn.runnerToken }).toString(),
  });
  expect(answer.status).toBe(200);
  const form = new FormData();
  form.append("token", gitlab.standIn.runnerToken);
  expect((await gitlab.call("POST", "/api/v4/runners/verify", { body: form })).status).toBe(200);
});

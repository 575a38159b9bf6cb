import { expect, test } from "vitest";
import { gitLab } from "./gitlab.ts";

test("a status fault answers for the next so many requests that match, and no others", async () => {
  const gitlab = await gitLab();
  const made = await gitlab.call("POST", "/-/faults", {
    json: { match: "POST /api/v4/jobs/request", times: 2, status: 503 },
  });
  expect(made.status).toBe(201);
  expect((await gitlab.call("POST", "/api/v4/runners/verify", { json: {} })).status).toBe(400);
  expect((await gitlab.requestJob()).status).toBe(503);
  expect((await gitlab.requestJob()).status).toBe(503);
  expect((await gitlab.requestJob()).status).toBe(204);
});

test.each([
  { fault: { status: 500 }, retryAfter: null },
  { fault: { status: 429 }, retryAfter: "1" },
  { fault: { status: 503, retry_after_seconds: 7 }, retryAfter: "7" },
])("S25 the fault $fault answers with Retry-After $retryAfter", async ({ fault, retryAfter }) => {
  const gitlab = await gitLab();
  gitlab.standIn.addFault({ match: "* /api/v4/jobs", ...fault });
  const answer = await gitlab.requestJob();
  expect(answer.status).toBe(fault.status);
  expect(answer.headers.get("retry-after")).toBe(retryAfter);
});

test("a latency fault delays the answer", async () => {
  const gitlab = await gitLab();
  gitlab.standIn.addFault({ match: "POST /api/v4/jobs/request", latency_ms: 80 });
  const before = performance.now();
  expect((await gitlab.requestJob()).status).toBe(204);
  expect(performance.now() - before).toBeGreaterThan(70);
});

test("a cut ends the connection after that many bytes, and nothing has happened", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  gitlab.standIn.addFault({ match: "PATCH /api/v4/jobs/*/trace", cut_after_bytes: 3 });
  await expect(gitlab.patch(job, 0, "hello")).rejects.toThrow("fetch failed");
  expect(gitlab.standIn.job(job.id).traceSize).toBe(0);
  expect(gitlab.standIn.requests().at(-1)).toMatchObject({ method: "PATCH", status: 0 });
  expect((await gitlab.patch(job, 0, "hello")).status).toBe(202);
});

test("a cut after more bytes than there are loses the answer only", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  gitlab.standIn.addFault({ match: "PATCH /api/v4/jobs/*/trace", cut_after_bytes: 1000 });
  await expect(gitlab.patch(job, 0, "hello")).rejects.toThrow("fetch failed");
  expect(gitlab.standIn.job(job.id).trace().toString()).toBe("hello");
});

test.each([
  { match: "GET /api/v4/projects", path: "/api/v4/projects/1/jobs", hit: true },
  { match: "GET /api/v4/projects/*", path: "/api/v4/projects/1", hit: true },
  { match: "GET /api/v4/projects/*", path: "/api/v4/projects/1/jobs", hit: false },
  { match: "GET /api/v4/**/jobs", path: "/api/v4/projects/1/jobs", hit: true },
  { match: "POST /api/v4/projects", path: "/api/v4/projects", hit: false },
  { match: "* /", path: "/api/v4/projects", hit: true },
  { match: "GET /api.v4/*", path: "/api/v4/projects", hit: false },
])("'$match' meets GET $path: $hit", async ({ match, path, hit }) => {
  const gitlab = await gitLab();
  gitlab.standIn.addFault({ match, status: 599 });
  expect((await gitlab.call("GET", path)).status === 599).toBe(hit);
});

test("DELETE forgets all faults", async () => {
  const gitlab = await gitLab();
  gitlab.standIn.addFault({ match: "* /api", times: 5, status: 500 });
  const listed = await gitlab.call("GET", "/-/faults");
  expect(listed.json).toMatchObject([{ match: "* /api", times: 5 }]);
  expect((await gitlab.call("DELETE", "/-/faults")).status).toBe(204);
  expect((await gitlab.requestJob()).status).toBe(204);
});

test.each([
  { fault: {}, says: "match" },
  { fault: { match: "PATCH /x" }, says: "exactly one of" },
  { fault: { match: "PATCH /x", status: 500, latency_ms: 1 }, says: "exactly one of" },
  { fault: { match: "/x", status: 500 }, says: 'must be "METHOD /path"' },
  { fault: { match: "PATCH /x", status: 200 }, says: "status" },
  { fault: { match: "PATCH /x", status: 500, times: 0 }, says: "times" },
  { fault: { match: "PATCH /x", status: 500, extra: 1 }, says: "extra" },
  { fault: { match: "PATCH /x", latency_ms: 1, retry_after_seconds: 1 }, says: "goes with status" },
])("the fault $fault is refused: $says", async ({ fault, says }) => {
  const gitlab = await gitLab();
  const answer = await gitlab.call("POST", "/-/faults", { json: fault });
  expect(answer.status).toBe(400);
  expect(answer.text).toContain(says.replaceAll('"', '\\"'));
});

import { expect, test } from "vitest";
import { gitLab } from "./gitlab.ts";

test("S14 PATCH without Content-Range is 400", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  const answer = await gitlab.patch(job, undefined, "hello");
  expect(answer).toMatchObject({
    status: 400,
    json: { error: "400 Missing header Content-Range" },
  });
});

test.each([0, 3, 6, 100])(
  "S15 PATCH at offset %i of a log of 5 bytes is 416 with its size, and adds nothing",
  async (offset) => {
    const gitlab = await gitLab();
    await gitlab.standIn.enqueue();
    const job = await gitlab.claim();
    await gitlab.patch(job, 0, "hello");
    const answer = await gitlab.patch(job, offset, "other text");
    expect(answer.status).toBe(416);
    expect(answer.headers.get("range")).toBe("0-5");
    expect(gitlab.standIn.job(job.id).trace().toString()).toBe("hello");
  },
);

test("the last PATCH once more is 202 and adds nothing", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  await gitlab.patch(job, 0, "hel");
  await gitlab.patch(job, 3, "lo");
  const answer = await gitlab.patch(job, 3, "lo");
  expect(answer.status).toBe(202);
  expect(answer.headers.get("range")).toBe("0-5");
  expect(gitlab.standIn.job(job.id).trace().toString()).toBe("hello");
});

test("S16 PATCH is 202 with Job-Status, the new size, and 60 s until the next", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  await gitlab.patch(job, 0, "hello");
  const answer = await gitlab.patch(job, 5, " world");
  expect(answer.status).toBe(202);
  expect(answer.headers.get("job-status")).toBe("running");
  expect(answer.headers.get("range")).toBe("0-11");
  expect(answer.headers.get("x-gitlab-trace-update-interval")).toBe("60");
});

test("S16 while somebody looks at the log the interval is 3 s", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  gitlab.standIn.watch(job.id);
  const answer = await gitlab.patch(job, 0, "hello");
  expect(answer.headers.get("x-gitlab-trace-update-interval")).toBe("3");
});

test.each(["0-999", "0-0", "0", "0-4/*"])(
  "S17 only the start of Content-Range counts: %s is accepted",
  async (range) => {
    const gitlab = await gitLab();
    await gitlab.standIn.enqueue();
    const job = await gitlab.claim();
    const answer = await gitlab.call("PATCH", `/api/v4/jobs/${String(job.id)}/trace`, {
      headers: { "job-token": job.token, "content-type": "text/plain", "content-range": range },
      body: "hello",
    });
    expect(answer.status).toBe(202);
    expect(gitlab.standIn.job(job.id).traceSize).toBe(5);
  },
);

test("S18 a log over the limit is 403, and the job has failed", async () => {
  const gitlab = await gitLab({ traceLimitBytes: 8 });
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  expect((await gitlab.patch(job, 0, "12345678")).status).toBe(202);
  const answer = await gitlab.patch(job, 8, "9");
  expect(answer.status).toBe(403);
  expect(gitlab.standIn.job(job.id)).toMatchObject({
    status: "failed",
    failureReason: "trace_size_exceeded",
    traceSize: 8,
  });
});

test("the log is kept byte for byte, be it UTF-8 or not", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  const bytes = Buffer.from([0xff, 0x00, 0xe2, 0x82, 0x0d, 0x0a, 0x1b, 0x5b, 0x30, 0x4b]);
  expect((await gitlab.patch(job, 0, bytes)).status).toBe(202);
  expect(gitlab.standIn.job(job.id).trace()).toEqual(bytes);
});

test.each([
  { type: "application/x-www-form-urlencoded" },
  { type: "application/octet-stream" },
  { type: "" },
])("a log sent as '$type' is 415", async ({ type }) => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  const answer = await gitlab.call("PATCH", `/api/v4/jobs/${String(job.id)}/trace`, {
    headers: { "job-token": job.token, "content-type": type, "content-range": "0-4" },
    body: Buffer.from("hello"),
  });
  expect(answer.status).toBe(415);
  expect(gitlab.standIn.job(job.id).traceSize).toBe(0);
});

test("debug_trace counts on the first PATCH only", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  await gitlab.standIn.enqueue();
  const first = await gitlab.claim();
  const later = await gitlab.claim();
  const send = (id: number, token: string, start: number, debug: string) =>
    gitlab.call("PATCH", `/api/v4/jobs/${String(id)}/trace?debug_trace=${debug}`, {
      headers: {
        "job-token": token,
        "content-type": "text/plain",
        "content-range": `${String(start)}-${String(start)}`,
      },
      body: "x",
    });
  await send(first.id, first.token, 0, "true");
  await send(later.id, later.token, 0, "false");
  await send(later.id, later.token, 1, "true");
  expect(gitlab.standIn.job(first.id).debugTrace).toBe(true);
  expect(gitlab.standIn.job(later.id).debugTrace).toBe(false);
});

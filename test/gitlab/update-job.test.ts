import { expect, test } from "vitest";
import type { JobUpdate } from "../../src/gitlab/update-job.ts";
import { replyJson, serve, type TestServer } from "./http-server.ts";
import { info, jobToken, newClient } from "./new-client.ts";

const running: JobUpdate = { jobId: 42, token: jobToken, state: "running" };
const success: JobUpdate = { jobId: 42, token: jobToken, state: "success" };
const failed: JobUpdate = { jobId: 42, token: jobToken, state: "failed" };

function sent(gitlab: TestServer): Record<string, unknown> {
  return JSON.parse(gitlab.seen[0]?.text ?? "");
}

test("C30 the job's token is in the header JOB-TOKEN and again in the body", async () => {
  const gitlab = await serve((_, response) => response.writeHead(200).end("200"));
  const { client } = newClient({ url: gitlab.url });

  await client.updateJob(running);

  const [call] = gitlab.seen;
  expect(call).toMatchObject({ method: "PUT", path: "/api/v4/jobs/42" });
  expect(call?.headers).toMatchObject({
    "job-token": jobToken.reveal(),
    "content-type": "application/json",
  });
  expect(call?.headers).not.toHaveProperty("runner-token");
  expect(sent(gitlab)).toMatchObject({ token: jobToken.reveal(), info });
});

test("C31 the first PUT running has an empty output and no checksum", async () => {
  const gitlab = await serve((_, response) => response.writeHead(200).end());
  const { client } = newClient({ url: gitlab.url });

  await client.updateJob(running);

  expect(sent(gitlab)).toEqual({ info, token: jobToken.reveal(), state: "running", output: {} });
});

test("checksum and size are in output, the checksum also where it used to be", async () => {
  const gitlab = await serve((_, response) => response.writeHead(200).end());
  const { client } = newClient({ url: gitlab.url });

  await client.updateJob({ ...success, checksum: "crc32:0000abcd", bytesize: 0 });

  expect(sent(gitlab)).toMatchObject({
    checksum: "crc32:0000abcd",
    output: { checksum: "crc32:0000abcd", bytesize: 0 },
  });
});

test.each<[string, JobUpdate, object, string[]]>([
  [
    "C41 a failure with exit code 3 has both",
    { ...failed, failureReason: "script_failure", exitCode: 3 },
    { failure_reason: "script_failure", exit_code: 3 },
    [],
  ],
  ["C41 exit code 0 is left out", { ...failed, exitCode: 0 }, {}, ["exit_code"]],
  [
    "C41 a success has no reason",
    { ...success, failureReason: "script_failure", exitCode: 0 },
    {},
    ["failure_reason", "exit_code"],
  ],
])("%s", async (_, update, has, lacks) => {
  const gitlab = await serve((_, response) => response.writeHead(200).end());
  const { client } = newClient({ url: gitlab.url });

  await client.updateJob(update);

  expect(sent(gitlab)).toMatchObject(has);
  for (const field of lacks) expect(sent(gitlab)).not.toHaveProperty(field);
});

test.each<[string, JobUpdate, number, Record<string, string>, object]>([
  ["200", running, 200, { "Job-Status": "running" }, { kind: "ok", jobStatus: "running" }],
  ["200 without Job-Status", running, 200, {}, { kind: "ok", jobStatus: undefined }],
  [
    "canceling on a 200",
    running,
    200,
    { "Job-Status": "canceling" },
    { kind: "ok", jobStatus: "canceling" },
  ],
  [
    "C37 canceled on a 200",
    running,
    200,
    { "Job-Status": "canceled" },
    { kind: "refused", jobStatus: "canceled" },
  ],
  [
    "C37 failed on a 200",
    running,
    200,
    { "Job-Status": "failed" },
    { kind: "refused", jobStatus: "failed" },
  ],
  [
    "C37 canceled on a 202",
    success,
    202,
    { "Job-Status": "canceled" },
    { kind: "refused", jobStatus: "canceled" },
  ],
  [
    "our own failed, confirmed",
    failed,
    200,
    { "Job-Status": "failed" },
    { kind: "ok", jobStatus: "failed" },
  ],
  [
    "a final state of a canceling job",
    success,
    200,
    { "Job-Status": "canceled" },
    { kind: "ok", jobStatus: "canceled" },
  ],
  [
    "202 with its interval",
    success,
    202,
    { "X-GitLab-Trace-Update-Interval": "8" },
    { kind: "accepted", retryAfterSeconds: 8 },
  ],
  ["202 without an interval", success, 202, {}, { kind: "accepted", retryAfterSeconds: 3 }],
  [
    "202 with an interval of garbage",
    success,
    202,
    { "X-GitLab-Trace-Update-Interval": "soon" },
    { kind: "accepted", retryAfterSeconds: 3 },
  ],
  [
    "C35 an interval beyond 15 minutes",
    running,
    200,
    { "X-GitLab-Trace-Update-Interval": "86400" },
    { kind: "ok", intervalSeconds: 900 },
  ],
  ["403", running, 403, {}, { kind: "refused", status: 403, jobStatus: undefined }],
  [
    "403 with Job-Status",
    running,
    403,
    { "Job-Status": "success" },
    { kind: "refused", status: 403, jobStatus: "success" },
  ],
  ["404", running, 404, {}, { kind: "refused", status: 404 }],
  ["412", success, 412, {}, { kind: "mismatch" }],
  ["400", running, 400, {}, { kind: "invalid", message: "HTTP 400: no" }],
  ["409", running, 409, {}, { kind: "conflict", message: "HTTP 409: no" }],
  ["500", running, 500, {}, { kind: "unavailable", status: 500 }],
  [
    "429 with Retry-After",
    running,
    429,
    { "Retry-After": "60" },
    { kind: "unavailable", status: 429, retryAfterSeconds: 60 },
  ],
  ["401", running, 401, {}, { kind: "unavailable", status: 401 }],
  ["418", running, 418, {}, { kind: "unavailable", status: 418 }],
])("%s is read for what it means", async (_, update, status, headers, outcome) => {
  const gitlab = await serve((_, response) =>
    replyJson(response, status, { message: "no" }, headers),
  );
  const { client } = newClient({ url: gitlab.url });

  expect(await client.updateJob(update)).toMatchObject(outcome);
});

test.each([200, 202])(
  "a page before GitLab that answers with %i has taken no result of a job",
  async (status) => {
    const gitlab = await serve((_, response) =>
      response.writeHead(status, { "Content-Type": "text/html" }).end("<h1>Log in</h1>"),
    );
    const { client } = newClient({ url: gitlab.url });

    expect(await client.updateJob(success)).toMatchObject({
      kind: "unavailable",
      status,
      message: expect.stringContaining("without Job-Status") as string,
    });
  },
);

test.each(["", "200", '"200"', "null"])(
  "a 200 whose text is %j is GitLab's, of whatever type",
  async (text) => {
    const gitlab = await serve((_, response) =>
      response.writeHead(200, { "Content-Type": "text/html" }).end(text),
    );
    const { client } = newClient({ url: gitlab.url });

    expect(await client.updateJob(success)).toMatchObject({ kind: "ok" });
  },
);

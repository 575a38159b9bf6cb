import { expect, test } from "vitest";
import { replyJson, serve } from "./http-server.ts";
import { jobToken, newClient } from "./new-client.ts";

const bytes = Buffer.from("héllo\n");
const patch = { jobId: 42, token: jobToken, bytes, offset: 10 };

test("C30 a patch carries JOB-TOKEN, Content-Range without unit or total, and plain text", async () => {
  const gitlab = await serve((_, response) => response.writeHead(202).end());
  const { client } = newClient({ url: gitlab.url });

  await client.patchTrace(patch);
  await client.patchTrace({ ...patch, offset: 0, debugTrace: true });

  const [first, second] = gitlab.seen;
  expect(first).toMatchObject({ method: "PATCH", path: "/api/v4/jobs/42/trace" });
  expect(first?.headers).toMatchObject({
    "job-token": jobToken.reveal(),
    "content-type": "text/plain",
    "content-range": "10-16",
    "content-length": "7",
  });
  expect(first?.headers).not.toHaveProperty("accept");
  expect(first?.query.get("debug_trace")).toBe("false");
  expect(second?.query.get("debug_trace")).toBe("true");
  expect(Buffer.from(first?.text ?? "", "latin1").toString()).toBe("héllo\n");
});

test("C33 an empty PATCH is never sent", async () => {
  const gitlab = await serve((_, response) => response.writeHead(400).end());
  const { client } = newClient({ url: gitlab.url });

  expect(await client.patchTrace({ ...patch, bytes: Buffer.alloc(0) })).toMatchObject({
    kind: "accepted",
    nextOffset: 10,
  });
  expect(gitlab.seen).toHaveLength(0);
});

test("C33 of more than 1 MiB the first is sent, and said how far that went", async () => {
  const mebibyte = 1024 * 1024;
  const gitlab = await serve((_, response) => response.writeHead(202).end());
  const { client } = newClient({ url: gitlab.url });

  const reply = await client.patchTrace({ ...patch, bytes: Buffer.alloc(mebibyte + 1, "x") });

  expect(reply).toMatchObject({ kind: "accepted", nextOffset: mebibyte + 10 });
  expect(gitlab.seen[0]?.text).toHaveLength(mebibyte);
  expect(gitlab.seen[0]?.headers["content-range"]).toBe(`10-${mebibyte + 9}`);
});

test.each<[string, number, Record<string, string>, object]>([
  [
    "202",
    202,
    { "Job-Status": "running", Range: "0-17" },
    { kind: "accepted", nextOffset: 17, jobStatus: "running" },
  ],
  ["a 202 whose Range says otherwise", 202, { Range: "0-3" }, { kind: "accepted", nextOffset: 17 }],
  [
    "C35 a 202 with interval 60",
    202,
    { "X-GitLab-Trace-Update-Interval": "60" },
    { kind: "accepted", intervalSeconds: 60 },
  ],
  [
    "C35 a 202 with interval 0",
    202,
    { "X-GitLab-Trace-Update-Interval": "0" },
    { kind: "accepted", intervalSeconds: undefined },
  ],
  [
    "canceling on a 202",
    202,
    { "Job-Status": "canceling" },
    { kind: "accepted", jobStatus: "canceling" },
  ],
  [
    "C37 canceled on a 202",
    202,
    { "Job-Status": "canceled" },
    { kind: "aborted", jobStatus: "canceled" },
  ],
  [
    "C37 failed on a 202",
    202,
    { "Job-Status": "failed" },
    { kind: "aborted", jobStatus: "failed" },
  ],
  [
    "C34 a 416 with Range 0-5",
    416,
    { Range: "0-5" },
    { kind: "rangeMismatch", size: 5, nextOffset: 5 },
  ],
  ["C34 a 416 without Range", 416, {}, { kind: "rangeMismatch", size: undefined, nextOffset: 0 }],
  [
    "C34 a 416 with an odd Range",
    416,
    { Range: "five" },
    { kind: "rangeMismatch", size: undefined, nextOffset: 0 },
  ],
  ["C37 canceled on a 416", 416, { Range: "0-5", "Job-Status": "canceled" }, { kind: "aborted" }],
  ["403", 403, {}, { kind: "aborted", status: 403, jobStatus: undefined }],
  [
    "403 with Job-Status",
    403,
    { "Job-Status": "success" },
    { kind: "aborted", jobStatus: "success" },
  ],
  ["C37 canceled on a 500", 500, { "Job-Status": "canceled" }, { kind: "aborted", status: 500 }],
  ["404", 404, {}, { kind: "unavailable", status: 404 }],
  ["400", 400, {}, { kind: "unavailable", status: 400 }],
  ["500", 500, {}, { kind: "unavailable", status: 500 }],
  ["200, which is not what a patch gets", 200, {}, { kind: "unavailable", status: 200 }],
])("%s is read for what it means", async (_, status, headers, outcome) => {
  const gitlab = await serve((_, response) => replyJson(response, status, {}, headers));
  const { client } = newClient({ url: gitlab.url });

  expect(await client.patchTrace(patch)).toMatchObject(outcome);
});

test("C34 a trace resent from the size that GitLab names arrives whole", async () => {
  let stored = Buffer.from("abc");
  const gitlab = await serve((call, response) => {
    const start = Number(/^(\d+)-/.exec(call.headers["content-range"] ?? "")?.[1]);
    if (start === stored.length) stored = Buffer.concat([stored, Buffer.from(call.text, "latin1")]);
    response.writeHead(start <= stored.length ? 202 : 416, { Range: `0-${stored.length}` }).end();
  });
  const { client } = newClient({ url: gitlab.url });
  const whole = Buffer.from("abcdefgh");

  const first = await client.patchTrace({ ...patch, bytes: whole.subarray(6), offset: 6 });
  if (first.kind !== "rangeMismatch") throw new Error(first.kind);
  const from = first.nextOffset;
  await client.patchTrace({ ...patch, bytes: whole.subarray(from), offset: from });

  expect(stored.toString()).toBe("abcdefgh");
});

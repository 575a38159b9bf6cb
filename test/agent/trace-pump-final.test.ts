import { expect, test } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import { startStandIn } from "../../src/stand-in/start.ts";
import { serve } from "../gitlab/http-server.ts";
import type { Answer, Seen } from "../gitlab/http-server.ts";
import { newClient } from "../gitlab/new-client.ts";
import { pumping } from "./pumping.ts";

const mebibyte = 1024 * 1024;

async function gitlab(answers: { patch?: Answer[]; put?: Answer[] }) {
  const server = await serve((seen, response, request) => {
    const answer = (seen.method === "PATCH" ? answers.patch : answers.put)?.shift();
    if (answer === undefined) response.writeHead(seen.method === "PATCH" ? 202 : 200).end();
    else answer(seen, response, request);
  });
  return { url: server.url, seen: server.seen };
}

const reply =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (_seen, response) =>
    response.writeHead(status, headers).end();

const calls = (seen: readonly Seen[]) =>
  seen.map(({ method, headers }) => (method === "PUT" ? "PUT" : headers["content-range"]));

test("C39 the result follows all of the log, with its size and its checksum of eight digits", async () => {
  const { url, seen } = await gitlab({});
  const { pump, print } = pumping({ url });
  print("x".repeat(2 * mebibyte));
  print("123456789");
  const last = { state: "failed", failureReason: "script_failure", exitCode: 3 } as const;
  expect(await pump.finish(last)).toEqual({ kind: "confirmed" });
  expect(calls(seen)).toEqual(["0-1048575", "1048576-2097151", "2097152-2097160", "PUT"]);
  const body: unknown = JSON.parse(seen.at(-1)?.text ?? "");
  expect(body).toMatchObject({
    state: "failed",
    failure_reason: "script_failure",
    exit_code: 3,
    output: { bytesize: 2 * mebibyte + 9 },
  });
  expect(body).toHaveProperty("output.checksum", expect.stringMatching(/^crc32:[0-9a-f]{8}$/));
});

test("C33 C39 without a log there is only the result, of size 0", async () => {
  const { url, seen } = await gitlab({});
  const { pump } = pumping({ url });
  await pump.finish({ state: "success" });
  expect(calls(seen)).toEqual(["PUT"]);
  const output = { checksum: "crc32:00000000", bytesize: 0 };
  expect(JSON.parse(seen[0]?.text ?? "")).toMatchObject({ state: "success", output });
});

test("C40 while GitLab answers 202 the same result is sent again, after as long as it says", async () => {
  const wait = (seconds: string) => reply(202, { "X-GitLab-Trace-Update-Interval": seconds });
  const { url, seen } = await gitlab({ put: [wait("1"), wait("2"), wait("4")] });
  const { pump, clock, print } = pumping({ url });
  print("one");
  clock.run();
  expect(await pump.finish({ state: "success" })).toEqual({ kind: "confirmed" });
  expect(clock.waits).toEqual([1, 2, 4]);
  expect(calls(seen)).toEqual(["0-2", "PUT", "PUT", "PUT", "PUT"]);
  expect(new Set(seen.slice(1).map(({ text }) => text)).size).toBe(1);
});

test("C40 a GitLab that takes its time to store the log gets its result in the end", async () => {
  let now = Date.parse("2030-01-01T00:00:00Z");
  const standIn = await startStandIn({ traceCommitDelaySeconds: 10, now: () => now });
  try {
    const { client } = newClient({ url: standIn.url, token: new Secret(standIn.runnerToken) });
    await standIn.enqueue();
    const asked = await client.requestJob();
    if (asked.kind !== "job") throw new Error(`no job, but ${asked.kind}`);
    const { jobId, token } = asked;
    const { pump, clock, print } = pumping({
      url: "",
      client: {
        ...client,
        updateJob: async (update) => {
          const answer = await client.updateJob(update);
          if (answer.kind === "accepted") now += answer.retryAfterSeconds * 1000;
          return answer;
        },
      },
      jobId,
      token,
    });
    print("the log");
    clock.run();
    expect(await pump.finish({ state: "success" })).toEqual({ kind: "confirmed" });
    expect(clock.waits.reduce((sum, seconds) => sum + seconds, 0)).toBeGreaterThanOrEqual(10);
    expect(standIn.job(jobId).status).toBe("success");
  } finally {
    await standIn.close();
  }
});

test("C40 after a 412 the whole log is sent again from its start", async () => {
  const { url, seen } = await gitlab({ put: [reply(412)] });
  const { pump, print } = pumping({ url });
  print("0123456789");
  expect(await pump.finish({ state: "success" })).toEqual({ kind: "confirmed" });
  expect(calls(seen)).toEqual(["0-9", "PUT", "0-9", "PUT"]);
});

test("the final log follows GitLab's offset, after a pause of 3 s whatever the interval was", async () => {
  const { url, seen } = await gitlab({
    patch: [reply(202, { "X-GitLab-Trace-Update-Interval": "60" }), reply(416, { Range: "0-2" })],
  });
  const { pump, clock, print } = pumping({ url });
  print("one");
  await clock.step();
  print("two");
  clock.run();
  await pump.finish({ state: "success" });
  expect(calls(seen)).toEqual(["0-2", "3-5", "2-5", "PUT"]);
  expect(clock.waits).toEqual([3]);
});

test("a result that does not get through is tried again after 1, 2, 4 s and so on, and given up in the end", async () => {
  const { url, seen } = await gitlab({ put: Array.from({ length: 4 }, () => reply(501)) });
  const { pump, clock, print } = pumping({ url, finalAttempts: 4 });
  print("one");
  clock.run();
  const delivery = await pump.finish({ state: "success" });
  expect(delivery).toMatchObject({ kind: "undelivered" });
  expect(clock.waits).toEqual([1, 2, 4]);
  expect(calls(seen)).toEqual(["0-2", "PUT", "PUT", "PUT", "PUT"]);
});

test("a log that does not get through keeps the result back", async () => {
  const { url, seen } = await gitlab({ patch: [reply(501), reply(501)] });
  const { pump, clock, print } = pumping({ url });
  print("one");
  clock.run();
  expect(await pump.finish({ state: "success" })).toEqual({ kind: "confirmed" });
  expect(calls(seen)).toEqual(["0-2", "0-2", "0-2", "PUT"]);
});

test.each([403, 404])("after a %i to the result GitLab wants nothing more", async (status) => {
  const { url, seen } = await gitlab({ put: [reply(status)] });
  const { pump } = pumping({ url });
  expect(await pump.finish({ state: "success" })).toEqual({ kind: "refused" });
  expect(seen).toHaveLength(1);
});

test("a result that arrived although its answer was lost counts as delivered", async () => {
  const cut: Answer = (_seen, response) => response.destroy();
  const { url } = await gitlab({ put: [cut, reply(403, { "Job-Status": "success" })] });
  const { pump, clock } = pumping({ url });
  clock.run();
  expect(await pump.finish({ state: "success" })).toEqual({ kind: "refused" });
});

test("an abandoned log is sent as far as it goes, and no result", async () => {
  const { url, seen } = await gitlab({});
  const { pump, print } = pumping({ url });
  print("one");
  await pump.abandon();
  expect(calls(seen)).toEqual(["0-2"]);
});

test("the pump's end does not wait for the interval", async () => {
  const { url } = await gitlab({
    patch: [reply(202, { "X-GitLab-Trace-Update-Interval": "900" })],
  });
  const { pump, clock, print } = pumping({ url });
  print("one");
  await clock.step();
  expect(await pump.finish({ state: "success" })).toEqual({ kind: "confirmed" });
});

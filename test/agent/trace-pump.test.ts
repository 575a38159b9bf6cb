import { expect, test } from "vitest";
import { startStandIn } from "../../src/stand-in/start.ts";
import { Secret } from "../../src/core/secret.ts";
import { serve } from "../gitlab/http-server.ts";
import type { Answer, Seen } from "../gitlab/http-server.ts";
import { newClient } from "../gitlab/new-client.ts";
import { pumping } from "./pumping.ts";
import { patient } from "../harness/patient.ts";

/** A GitLab that agrees with everything, unless the next of `answers` says otherwise. */
async function gitlab(...answers: Answer[]) {
  const server = await serve((seen, response, request) => {
    const answer = answers.shift();
    if (answer === undefined)
      response.writeHead(seen.method === "PATCH" ? 202 : 200, { "Job-Status": "running" }).end();
    else answer(seen, response, request);
  });
  return { url: server.url, seen: server.seen };
}

const reply =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (_seen, response) =>
    response.writeHead(status, headers).end();

const ranges = (seen: readonly Seen[]) =>
  seen.filter(({ method }) => method === "PATCH").map(({ headers }) => headers["content-range"]);

test("C33 nothing is sent while there is nothing to send, and the first look is after 3 s", async () => {
  const { url, seen } = await gitlab();
  const { clock } = pumping({ url });
  expect(await clock.step()).toBe(3000);
  expect(await clock.step()).toBe(3000);
  expect(seen).toEqual([]);
});

test("C33 pieces of 1 MiB at most follow one another without a gap", async () => {
  const { url, seen } = await gitlab();
  const { clock, print, written } = pumping({ url });
  const mebibyte = 1024 * 1024;
  print("x".repeat(2 * mebibyte));
  await clock.step();
  print("y".repeat(10));
  await clock.step();
  await clock.step();
  print("z");
  await clock.step();
  expect(ranges(seen)).toEqual([
    `0-${String(mebibyte - 1)}`,
    `${String(mebibyte)}-${String(2 * mebibyte - 1)}`,
    `${String(2 * mebibyte)}-${String(2 * mebibyte + 9)}`,
    `${String(2 * mebibyte + 10)}-${String(2 * mebibyte + 10)}`,
  ]);
  expect(seen.map(({ text }) => text).join("") === written().toString()).toBe(true);
});

test("debug_trace is said with every piece", async () => {
  const { url, seen } = await gitlab();
  const { clock, print } = pumping({ url, debugTrace: true });
  print("one");
  await clock.step();
  expect(seen[0]?.query.get("debug_trace")).toBe("true");
});

test.each<[string, string, Record<string, string>]>([
  ["Range: 0-5", "5-9", { Range: "0-5" }],
  ["no Range", "0-9", {}],
  ["an odd Range", "0-9", { Range: "five" }],
])("C34 after a 416 with %s the next piece is %s", async (_name, next, headers) => {
  const { url, seen } = await gitlab(reply(416, headers));
  const { clock, print } = pumping({ url });
  print("0123456789");
  await clock.step();
  await clock.step();
  expect(ranges(seen)).toEqual(["0-9", next]);
});

test.each<[string, number]>([
  ["60", 60_000],
  ["3600", 900_000],
  ["0", 3000],
  ["-5", 3000],
  ["soon", 3000],
])("C35 an update interval of %j makes the next wait %i ms", async (told, milliseconds) => {
  const { url } = await gitlab(reply(202, { "X-GitLab-Trace-Update-Interval": told }));
  const { clock, print } = pumping({ url });
  print("one");
  await clock.step();
  expect(await clock.step()).toBe(milliseconds);
});

test("C36 a job that has been silent for more than 30 s is said to be running, with its checksum so far", async () => {
  const { url, seen } = await gitlab();
  const { clock, print, written } = pumping({ url });
  print("123456789");
  await clock.step();
  for (let second = 3; second < 33; second += 3) await clock.step();
  expect(seen.map(({ method }) => method)).toEqual(["PATCH"]);
  await clock.step();
  const put = seen[1];
  expect(put).toMatchObject({ method: "PUT", path: "/api/v4/jobs/42" });
  expect(JSON.parse(put?.text ?? "")).toMatchObject({
    state: "running",
    output: { checksum: "crc32:cbf43926", bytesize: written().length },
  });
  for (let second = 0; second < 30; second += 3) await clock.step();
  expect(seen).toHaveLength(2);
});

test("C36 while the log does not get through it is tried at every interval, and no sign of life is sent", async () => {
  const { url, seen } = await gitlab(...Array.from({ length: 200 }, () => reply(501)));
  const { clock, print } = pumping({ url });
  print("one");
  for (let second = 0; second < 33; second += 3) await clock.step();
  expect(new Set(seen.map(({ method }) => method))).toEqual(new Set(["PATCH"]));
  expect(seen).toHaveLength(11);
});

test.each<[string, Answer]>([
  ["canceled on a 202", reply(202, { "Job-Status": "canceled" })],
  ["failed on a 202", reply(202, { "Job-Status": "failed" })],
  ["canceled on a 416", reply(416, { "Job-Status": "canceled", Range: "0-0" })],
  ["a 403", reply(403)],
])("C37 %s ends the job at once, and nothing more is sent", async (_name, answer) => {
  const { url, seen } = await gitlab(answer);
  const { pump, clock, print, orders } = pumping({ url });
  print("one");
  await clock.wake();
  await expect.poll(() => orders, patient).toEqual(["abort"]);
  print("two");
  expect(await pump.finish({ state: "failed" })).toEqual({ kind: "refused" });
  expect(seen).toHaveLength(1);
});

test("C37 the answer to a sign of life is listened to as well", async () => {
  const { url } = await gitlab(reply(200, { "Job-Status": "canceled" }));
  const { clock, orders } = pumping({ url });
  for (let second = 3; second < 33; second += 3) await clock.step();
  await clock.wake();
  await expect.poll(() => orders, patient).toEqual(["abort"]);
});

test("C38 canceling asks for a graceful cancel, and the log goes on", async () => {
  const { url, seen } = await gitlab(reply(202, { "Job-Status": "canceling" }));
  const { pump, clock, print, orders } = pumping({ url });
  print("one");
  await clock.step();
  expect(orders).toEqual(["cancel-gracefully"]);
  print("two");
  clock.run();
  await pump.finish({ state: "failed", failureReason: "unknown_failure" });
  expect(ranges(seen)).toEqual(["0-2", "3-5"]);
  const last = seen.at(-1)?.text ?? "";
  expect(JSON.parse(last)).toMatchObject({ state: "failed", failure_reason: "unknown_failure" });
});

test("a forced cancel after a graceful one is obeyed", async () => {
  const { url } = await gitlab(
    reply(202, { "Job-Status": "canceling" }),
    reply(202, { "Job-Status": "canceled" }),
  );
  const { clock, print, orders } = pumping({ url });
  print("one");
  await clock.step();
  print("two");
  await clock.wake();
  await expect.poll(() => orders, patient).toEqual(["cancel-gracefully", "abort"]);
});

test("connections that are cut before or after GitLab took the bytes lose none and double none", async () => {
  const standIn = await startStandIn();
  try {
    const { client } = newClient({ url: standIn.url, token: new Secret(standIn.runnerToken) });
    await standIn.enqueue();
    const asked = await client.requestJob();
    if (asked.kind !== "job") throw new Error(`no job, but ${asked.kind}`);
    const match = "PATCH /api/v4/jobs/*/trace";
    // More than a piece that is cut after so much of its body never arrives; a smaller one is taken.
    standIn.addFault({ match, times: 1, cut_after_bytes: 2 });
    standIn.addFault({ match, times: 1, cut_after_bytes: 1000 });
    standIn.addFault({ match, times: 5, status: 502 });
    const { jobId, token } = asked;
    const { pump, clock, print, written } = pumping({ url: "", client, jobId, token });
    for (const text of ["first\n", "second\n", "third\n", "fourth\n"]) {
      print(text);
      await clock.step();
    }
    clock.run();
    expect(await pump.finish({ state: "success" })).toEqual({ kind: "confirmed" });
    const job = standIn.job(jobId);
    expect(job.trace().toString()).toBe(written().toString());
    expect(job.reported.checksum).toBe(job.traceChecksum);
  } finally {
    await standIn.close();
  }
});

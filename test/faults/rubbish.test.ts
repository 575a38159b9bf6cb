import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startHttpFront } from "../harness/http-front.ts";
import type { FalseAnswer, HttpFront } from "../harness/http-front.ts";
import { until } from "../harness/processes.ts";
import { plainText } from "../harness/project.ts";
import { lastLine, openScene } from "../harness/scene.ts";
import type { Scene } from "../harness/scene.ts";

const json = { "content-type": "application/json" };
const html = { "content-type": "text/html; charset=utf-8" };
const page = "<!DOCTYPE html><title>Welcome to our network</title><p>Please sign in.</p>";

async function withFront(body: (scene: Scene, front: HttpFront) => Promise<void>) {
  const scene = await openScene();
  const front = await startHttpFront(scene.gitlab.url);
  try {
    await body(scene, front);
  } finally {
    await scene.close();
    await front.close();
  }
}

const nonsense: readonly (FalseAnswer | "no HTTP at all")[] = [
  { status: 200, headers: html, body: page },
  { status: 201, headers: html, body: page },
  { status: 201, headers: json, body: '{"id": 1, "token": "glcbt-' },
  { status: 201, headers: json, body: "[]" },
  { status: 201, headers: json, body: "null" },
  { status: 201, headers: json, body: '{"id": "one", "token": 1}' },
  { status: 200, headers: json, body: "{}" },
  { status: 302, headers: { location: "http://portal.example/sign-in" } },
  { status: 404, headers: html, body: page },
  { status: 500, headers: html, body: page.repeat(10_000) },
  { status: 500, headers: json, body: "\u0000\u0001" },
  "no HTTP at all",
  { status: 204, headers: { "x-gitlab-last-update": "x".repeat(4000) } },
  { status: 418, body: "" },
];

test.concurrent("nonsense in answer to a running job's calls changes nothing of the job", () =>
  withFront(async (scene, front) => {
    const job = await scene.enqueue({
      script: [
        "seq 1 1000",
        "echo in the middle",
        `until [ -e ${scene.home}/go ]; do sleep 0.1; done`,
      ],
    });
    const trace = new RegExp(`^PATCH /api/v4/jobs/${job.id}/trace`);
    front.answer(
      trace,
      { status: 200, headers: html, body: page },
      { status: 302, headers: { location: "http://portal.example/sign-in" } },
      { status: 404, headers: html, body: page },
      "no HTTP at all",
      { status: 416, headers: {} },
      { status: 416, headers: { range: "bytes" } },
      { status: 503, headers: { "job-status": "dancing", "x-gitlab-trace-update-interval": "-3" } },
    );
    const burst = scene.burst({ url: front.url });
    await until("the end of the nonsense", () => front.waiting === 0);
    await scene.traceHas(job, "in the middle");
    front.answer(
      new RegExp(`^PUT /api/v4/jobs/${job.id} ?`),
      { status: 302, headers: { location: "http://portal.example/sign-in" } },
      "no HTTP at all",
      { status: 500, headers: html, body: page },
    );
    writeFileSync(join(scene.home, "go"), "");
    const ended = await scene.ended(job);
    expect(ended.status).toBe("success");
    const lines = plainText(ended.trace()).split("\n");
    expect(lines.filter((line) => /^\d+$/.test(line))).toHaveLength(1000);
    expect(ended.reported).toEqual({ checksum: ended.traceChecksum, bytesize: ended.traceSize });
    expect(await burst.ended).toEqual({ code: 0, signal: null });
  }));

test.concurrent("whatever a request for a job is answered, the runner says so and asks again", () =>
  withFront(async (scene, front) => {
    front.answer(/^POST \/api\/v4\/jobs\/request/, ...nonsense);
    const burst = scene.burst({ url: front.url });
    await until("the end of the nonsense", () => front.waiting === 0);
    const job = await scene.enqueue();
    expect((await scene.ended(job)).status).toBe("success");
    expect(await burst.ended).toEqual({ code: 0, signal: null });
    expect(burst.stderr()).not.toMatch(/^\s+at /m);
    expect(burst.stderr()).not.toContain(scene.gitlab.runnerToken);
    for (const line of burst.stderr().trim().split("\n")) expect(line).toMatch(/^burst: /);
  }));

test.concurrent.each([
  ["steps that are no list", { steps: "rm -rf" }, "steps"],
  ["a time limit in words", { runner_info: { timeout: "soon" } }, "runner_info"],
  ["a variable without a key", { variables: [{ value: "x" }] }, "variables"],
  ["run and script both", { run: "[]" }, "run"],
])("a job with %s is failed with a reason, and the next one is taken", (_name, payload, word) =>
  withFront(async (scene) => {
    const job = await scene.enqueue({ payload });
    const burst = scene.burst({ arguments: ["--max-jobs", "2"] });
    const ended = await scene.ended(job);
    expect([ended.status, ended.failureReason]).toEqual(["failed", "runner_system_failure"]);
    expect(lastLine(ended)).toMatch(/^ERROR: Job failed \(system failure\): GitLab's job payload/);
    expect(lastLine(ended)).toContain(word);
    expect((await scene.ended(await scene.enqueue())).status).toBe("success");
    expect(await burst.ended).toEqual({ code: 0, signal: null });
    expect(scene.finalUpdates(job)).toHaveLength(1);
  }),
);

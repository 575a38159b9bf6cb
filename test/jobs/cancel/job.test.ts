import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { startFolder, until } from "../../harness/project.ts";
import { artifactTypes } from "../artifact-content.ts";

const marks = await mkdtemp(join(tmpdir(), "burst-cancel-"));
afterAll(() => rm(marks, { recursive: true }));
const names = ["script", "before", "after", "force"] as const;

const { job, trace, requests, runner, finished } = await startFolder(import.meta.url, {
  variables: { MARKS: marks },
});
await Promise.all(
  names.map(async (name) => {
    await until(() => existsSync(join(marks, name)));
    runner.gitlab.cancel(job(name).id, { force: name === "force" });
  }),
);
await finished;
const closing = (name: string) => trace(name).trimEnd().split("\n").at(-1);

test("C38 a cancel stops the script, and then after_script and the uploads of failed jobs run", () => {
  const text = trace("script");
  expect(text).toContain("\nWARNING: script canceled externally (UI, API)\n");
  expect(text).not.toContain("\nnever\n");
  expect(text).toContain("\nstatus canceled\n");
  expect(artifactTypes(job("script"))).toEqual(["archive"]);
  expect(closing("script")).toBe("ERROR: Job failed: canceled");
});

test("C38 GitLab is told failed, with unknown_failure, and makes canceled of it", () => {
  const last: unknown = JSON.parse(requests("script", "PUT").at(-1)?.body?.toString() ?? "");
  expect(last).toMatchObject({ state: "failed", failure_reason: "unknown_failure" });
  expect(job("script").status).toBe("canceled");
});

test("a cancel before the script stops everything: no after_script, nothing uploaded", () => {
  expect(job("before").status).toBe("canceled");
  expect(trace("before")).not.toMatch(/\n(never|status .*)\n/);
  expect(trace("before")).not.toContain("step_script");
  expect(artifactTypes(job("before"))).toEqual([]);
  expect(closing("before")).toBe("ERROR: Job failed: canceled");
});

test("a cancel during after_script changes nothing any more but the name of the result", () => {
  expect(trace("after")).toContain("\nwent on\n");
  expect(closing("after")).toBe("Job succeeded");
  expect(job("after").status).toBe("canceled");
});

test("C37 a forced cancel ends the job at once, without after_script, and no result is sent", () => {
  expect(job("force").status).toBe("canceled");
  expect(trace("force")).not.toMatch(/\n(never|status .*)\n/);
  expect(artifactTypes(job("force"))).toEqual([]);
  const states = requests("force", "PUT").map(({ body }) => JSON.parse(body!.toString()).state);
  expect(states).not.toContain("success");
  expect(requests("force", "PATCH").filter(({ status }) => status === 403).length).toBeLessThan(2);
});

test("the runner says canceled of each of them", () => {
  const ends = runner.events.filter(({ event }) => event !== "claimed" && event !== "started");
  expect(ends.map(({ event }) => event)).toEqual(Array(4).fill("canceled"));
});

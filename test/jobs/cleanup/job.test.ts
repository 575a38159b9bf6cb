import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ownTmpdir } from "../../local/own-tmpdir.ts";
import { runFolder } from "../../harness/project.ts";

const home = ownTmpdir();
const { job, trace } = await runFolder(import.meta.url);
const [, project = ""] = /\nproject (.+)\n/.exec(trace("leaves daemons")) ?? [];

test("what a job leaves running neither holds it up nor outlives it", () => {
  const { status, startedAt = 0, finishedAt = Infinity } = job("leaves daemons");
  expect(status).toBe("success");
  expect(finishedAt - startedAt).toBeLessThan(30_000);
  const pids = [...trace("leaves daemons").matchAll(/\ndaemon (\d+)/g)].map(([, pid]) => pid);
  expect(pids).toHaveLength(4);
  expect(pids.filter((pid) => isRunning(pid ?? ""))).toEqual([]);
});

/** A process that only waits for its parent to take note of its end has no command line any more. */
function isRunning(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8") !== "";
  } catch {
    return false;
  }
}

test("the folder beside the project, with its file variables, is gone", () => {
  expect(project).toMatch(/\/cleanup$/);
  expect(existsSync(`${project}.tmp`)).toBe(false);
});

test("the project stays, for the next job to fetch into", () => {
  expect(existsSync(join(project, "left-in-the-project.txt"))).toBe(true);
});

test("the runner's own folder of the job is gone", () => {
  expect(readdirSync(home).filter((name) => /^burst-\d/.test(name))).toEqual([]);
});

import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace, runner } = await runFolder(import.meta.url);
const refusing = await runFolder(import.meta.url, {
  settings: { custom_build_dir: { enabled: false } },
});
const refused = { status: "failed", failureReason: "runner_configuration_error" };

test("GIT_CLONE_PATH says where below builds_dir the project goes", () => {
  const path = join(runner.folder, "builds", "go", "src", "clone-path");
  expect(trace("inside")).toContain(`\nin ${path} of ${path} with inside:\n`);
});

test("a path that leaves builds_dir is refused before anything is made", () => {
  expect(job("outside")).toMatchObject(refused);
  expect(trace("outside")).toMatch(
    /ERROR: Job failed: the GIT_CLONE_PATH="\/tmp\/burst-elsewhere" has to be within/,
  );
  expect(existsSync("/tmp/burst-elsewhere")).toBe(false);
  expect(job("up and out")).toMatchObject(refused);
  expect(existsSync(join(runner.folder, "elsewhere"))).toBe(false);
});

test("where custom_build_dir is switched off no path is taken", () => {
  expect(refusing.job("inside")).toMatchObject(refused);
  expect(refusing.trace("inside")).toContain("setting GIT_CLONE_PATH is not allowed");
});

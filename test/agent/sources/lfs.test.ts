import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { pullWhereUsed } from "../../../src/agent/sources/lfs.ts";
import { makeProject, plainEnvironment, temporaryFolder } from "./project.ts";
import { makeJob, runStage } from "./stage.ts";

/** A `git-lfs` on the PATH that notes how it is called, and what smudging is set to at checkout. */
function machineWithLfs() {
  const bin = temporaryFolder();
  const calls = join(bin, "calls");
  const script = `#!/bin/sh\necho "$* $GIT_LFS_SKIP_SMUDGE" >> ${calls}\ntest "$1" != smudge || cat\n`;
  writeFileSync(join(bin, "git-lfs"), script, { mode: 0o755 });
  const home = temporaryFolder();
  const filter = '[filter "lfs"]\n\tsmudge = git-lfs smudge -- %f\n\trequired = true\n';
  writeFileSync(join(home, ".gitconfig"), filter);
  const environment = { PATH: `${bin}:${plainEnvironment["PATH"] ?? ""}`, HOME: home };
  const called = () => (existsSync(calls) ? readFileSync(calls, "utf8").split("\n") : []);
  return { environment, called };
}

function projectWithLfs() {
  const folder = temporaryFolder();
  const project = makeProject(folder, "group/project");
  const sha = project.commit({ ".gitattributes": "*.bin filter=lfs\n", "a.bin": "pointer" });
  return { folder, job: makeJob({ repositoryUrl: `file://${project.folder}`, sha }) };
}

test("LFS files stay pointers during checkout and are fetched together afterwards", async () => {
  const { environment, called } = machineWithLfs();
  await runStage({ ...projectWithLfs(), environment });
  expect(called()).toEqual(["smudge -- a.bin 1", "pull 1", ""]);
});

test("GIT_LFS_SKIP_SMUDGE leaves pointers", async () => {
  const { environment, called } = machineWithLfs();
  const variables = { GIT_LFS_SKIP_SMUDGE: "true" };
  await runStage({ ...projectWithLfs(), environment, variables });
  expect(called()).toEqual(["smudge -- a.bin true", ""]);
});

test("where no file is for LFS, it is not started", async () => {
  const { environment, called } = machineWithLfs();
  const folder = temporaryFolder();
  const project = makeProject(folder, "group/project");
  const sha = project.commit({ ".gitattributes": "*.bin filter=lfs\n", "a.txt": "text" });
  const job = makeJob({ repositoryUrl: `file://${project.folder}`, sha });
  await runStage({ folder, job, environment });
  expect(called()).toEqual([]);
});

test.each([
  ["pulls where files are for LFS", "a.bin", ["pull ", ""]],
  ["is content where none is", "a.txt", []],
])("in a submodule the shell %s", (_rule, file, calls) => {
  const { environment, called } = machineWithLfs();
  const project = makeProject(temporaryFolder(), "group/project");
  project.commit({ ".gitattributes": "*.bin filter=lfs\n", [file]: "text" });
  const cwd = project.git(["rev-parse", "--show-toplevel"]);
  execFileSync("sh", ["-c", pullWhereUsed], { cwd, env: environment });
  expect(called()).toEqual(calls);
});

test("without git-lfs on the machine nothing is tried", async () => {
  const log = await runStage(projectWithLfs());
  expect(log.text()).not.toContain("lfs");
});

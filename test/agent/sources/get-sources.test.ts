import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { SourcesHook } from "../../../src/agent/sources/get-sources.ts";
import { makeProject, temporaryFolder } from "./project.ts";
import { makeJob, projectDirOf, recordingLog, runStage, scriptGit } from "./stage.ts";

function projectWithTwoCommits() {
  const folder = temporaryFolder();
  const project = makeProject(folder, "group/project");
  const first = project.commit({ "a.txt": "one" });
  const second = project.commit({ "a.txt": "two", "b/c.txt": "new" });
  return { folder, project, first, second, repositoryUrl: `file://${project.folder}` };
}

const read = (folder: string, name: string) =>
  readFileSync(join(projectDirOf(folder), name), "utf8");

test("a fresh project is fetched and checked out, with GitLab's lines in GitLab's order", async () => {
  const { folder, second, repositoryUrl } = projectWithTwoCommits();
  const log = await runStage({ folder, job: makeJob({ repositoryUrl, sha: second, depth: 20 }) });
  expect(read(folder, "b/c.txt")).toBe("new");
  expect(log.said).toEqual([
    "info: Fetching changes with git depth set to 20...",
    "info: Created fresh repository.",
    `info: Checking out ${second.slice(0, 8)} as detached HEAD (ref is main)...`,
    "info: Skipping Git submodules setup",
  ]);
  expect(log.text()).toContain(`Initialized empty Git repository in ${projectDirOf(folder)}/.git/`);
  expect(scriptGit(folder, ["rev-parse", "HEAD"])).toBe(second);
});

test("strategy fetch uses the repository again and leaves nothing of the last job in the tree", async () => {
  const { folder, first, second, repositoryUrl } = projectWithTwoCommits();
  await runStage({ folder, job: makeJob({ repositoryUrl, sha: second }) });
  writeFileSync(join(projectDirOf(folder), "a.txt"), "changed by a script");
  writeFileSync(join(projectDirOf(folder), "left.txt"), "left by a script");
  const log = await runStage({ folder, job: makeJob({ repositoryUrl, sha: first }) });
  expect(log.text()).toContain("Reinitialized existing Git repository");
  expect(log.said).not.toContain("info: Created fresh repository.");
  expect(read(folder, "a.txt")).toBe("one");
  expect(readdirSync(projectDirOf(folder)).toSorted()).toEqual([".git", "a.txt"]);
});

test("strategy clone begins with an empty folder", async () => {
  const { folder, second, repositoryUrl } = projectWithTwoCommits();
  mkdirSync(join(projectDirOf(folder), ".git"), { recursive: true });
  writeFileSync(join(projectDirOf(folder), ".git/marker"), "");
  const job = makeJob({ repositoryUrl, sha: second, allowFetch: false });
  const log = await runStage({ folder, job });
  expect(log.said).toContain("info: Created fresh repository.");
  expect(existsSync(join(projectDirOf(folder), ".git/marker"))).toBe(false);
});

test("files in a folder without repository are cleaned away like others", async () => {
  const { folder, second, repositoryUrl } = projectWithTwoCommits();
  mkdirSync(projectDirOf(folder), { recursive: true });
  writeFileSync(join(projectDirOf(folder), "left.txt"), "");
  await runStage({ folder, job: makeJob({ repositoryUrl, sha: second }) });
  expect(existsSync(join(projectDirOf(folder), "left.txt"))).toBe(false);
});

test("strategy none keeps the folder as it is; strategy empty wipes it", async () => {
  const folder = temporaryFolder();
  mkdirSync(projectDirOf(folder), { recursive: true });
  writeFileSync(join(projectDirOf(folder), "kept.txt"), "");
  const job = makeJob({ repositoryUrl: "" });
  const none = await runStage({ folder, job, variables: { GIT_STRATEGY: "none" } });
  expect(readdirSync(projectDirOf(folder))).toEqual(["kept.txt"]);
  const empty = await runStage({ folder, job, variables: { GIT_STRATEGY: "empty" } });
  expect(readdirSync(projectDirOf(folder))).toEqual([]);
  const rest = ["info: Skipping Git checkout", "info: Skipping Git submodules setup"];
  expect(none.said).toEqual(["info: Skipping Git repository setup", ...rest]);
  expect(empty.said).toEqual([
    "info: Skipping Git repository setup and creating an empty build directory",
    ...rest,
  ]);
});

test("a bad GIT_STRATEGY is warned about, and the project's default used", async () => {
  const { folder, second, repositoryUrl } = projectWithTwoCommits();
  const variables = { GIT_STRATEGY: "svn" };
  const log = await runStage({ folder, job: makeJob({ repositoryUrl, sha: second }), variables });
  expect(log.said[0]).toBe(
    "warning: GIT_STRATEGY: expected either 'clone', 'fetch', 'none' or 'empty' got \"svn\", using default value 'fetch'",
  );
  expect(read(folder, "a.txt")).toBe("two");
});

test("GIT_CHECKOUT=false fetches and leaves the tree alone", async () => {
  const { folder, second, repositoryUrl } = projectWithTwoCommits();
  const variables = { GIT_CHECKOUT: "false" };
  const log = await runStage({ folder, job: makeJob({ repositoryUrl, sha: second }), variables });
  expect(log.said).toContain("info: Skipping Git checkout");
  expect(readdirSync(projectDirOf(folder))).toEqual([".git"]);
  expect(scriptGit(folder, ["cat-file", "-t", second])).toBe("commit");
});

test("GIT_CLEAN_FLAGS replaces the flags of git clean; none leaves untracked files", async () => {
  const { folder, second, repositoryUrl } = projectWithTwoCommits();
  const job = makeJob({ repositoryUrl, sha: second });
  await runStage({ folder, job });
  for (const name of ["keep.o", "drop.txt"]) writeFileSync(join(projectDirOf(folder), name), "");
  const listing = () => readdirSync(projectDirOf(folder)).toSorted();
  await runStage({ folder, job, variables: { GIT_CLEAN_FLAGS: "none" } });
  expect(listing()).toEqual([".git", "a.txt", "b", "drop.txt", "keep.o"]);
  await runStage({ folder, job, variables: { GIT_CLEAN_FLAGS: "-ffdx -e *.o" } });
  expect(listing()).toEqual([".git", "a.txt", "b", "keep.o"]);
});

test("a depth makes the repository shallow; depth 0 later fetches the rest", async () => {
  const { folder, second, repositoryUrl } = projectWithTwoCommits();
  const count = () => scriptGit(folder, ["rev-list", "--count", "HEAD"]);
  await runStage({ folder, job: makeJob({ repositoryUrl, sha: second, depth: 1 }) });
  expect(count()).toBe("1");
  const log = await runStage({ folder, job: makeJob({ repositoryUrl, sha: second, depth: 0 }) });
  expect(count()).toBe("2");
  expect(log.said[0]).toBe("info: Fetching changes...");
});

test("the payload's refspecs decide what is fetched: a tag's job has the tag", async () => {
  const { folder, project, second, repositoryUrl } = projectWithTwoCommits();
  project.git(["tag", "-a", "-m", "release", "v1", second]);
  project.push("v1", `${second}:refs/pipelines/9`);
  const refspecs = ["+refs/pipelines/9:refs/pipelines/9", "+refs/tags/v1:refs/tags/v1"];
  const job = makeJob({ repositoryUrl, sha: second, ref: "v1", depth: 5, refspecs });
  await runStage({ folder, job });
  expect(scriptGit(folder, ["describe", "--tags"])).toBe("v1");
  expect(scriptGit(folder, ["rev-parse", "refs/pipelines/9"])).toBe(second);
});

test("a branch that is gone is pruned, GIT_FETCH_EXTRA_FLAGS can keep it", async () => {
  const { folder, project, second, repositoryUrl } = projectWithTwoCommits();
  const refspecs = ["+refs/heads/*:refs/remotes/origin/*"];
  const job = makeJob({ repositoryUrl, sha: second, refspecs });
  project.push("main:old");
  await runStage({ folder, job });
  project.push(":old");
  await runStage({ folder, job, variables: { GIT_FETCH_EXTRA_FLAGS: "--no-prune --quiet" } });
  const branches = () => scriptGit(folder, ["branch", "-r", "--format=%(refname:short)"]);
  expect(branches()).toContain("origin/old");
  await runStage({ folder, job });
  expect(branches()).not.toContain("origin/old");
});

test("a repository with sha256 object ids is fetched, and fetched again", async () => {
  const folder = temporaryFolder();
  const project = makeProject(folder, "group/project", "sha256");
  const sha = project.commit({ "a.txt": "one" });
  const repositoryUrl = `file://${project.folder}`;
  const job = makeJob({ repositoryUrl, sha, objectFormat: "sha256" });
  await runStage({ folder, job });
  await runStage({ folder, job });
  expect(sha).toHaveLength(64);
  expect(scriptGit(folder, ["rev-parse", "HEAD"])).toBe(sha);
});

test("a failing git ends the stage as a failed script, with git's exit code and words", async () => {
  const { folder, repositoryUrl } = projectWithTwoCommits();
  const refspecs = ["+refs/heads/nowhere:refs/remotes/origin/nowhere"];
  const log = recordingLog();
  const failed = runStage({ folder, job: makeJob({ repositoryUrl, refspecs }) }, log);
  await expect(failed).rejects.toMatchObject({
    name: "RunnerError",
    reason: "script_failure",
    exitCode: 128,
    message: "git fetch ended with exit code 128",
  });
  expect(log.text()).toContain("couldn't find remote ref refs/heads/nowhere");
});

test("a machine without git is a failure of the system, and says so", async () => {
  const { folder, repositoryUrl } = projectWithTwoCommits();
  const environment = { PATH: join(folder, "nothing") };
  const failed = runStage({ folder, job: makeJob({ repositoryUrl }), environment });
  await expect(failed).rejects.toMatchObject({
    reason: "runner_system_failure",
    message: expect.stringContaining("git could not be started") as string,
  });
});

test("hooks run around the sources: the settings' outermost, the job's within", async () => {
  const { folder, second, repositoryUrl } = projectWithTwoCommits();
  const calls: [SourcesHook, readonly string[], boolean][] = [];
  const job = makeJob({
    repositoryUrl,
    sha: second,
    hooks: [
      { name: "pre_get_sources_script", script: ["job pre"] },
      { name: "post_get_sources_script", script: ["job post 1", "job post 2"] },
    ],
  });
  const stage = {
    folder,
    job,
    settings: { preGetSourcesScript: "runner pre", postGetSourcesScript: "runner post" },
    more: {
      runHook: async (name: SourcesHook, script: readonly string[]) => {
        calls.push([name, script, existsSync(join(projectDirOf(folder), "a.txt"))]);
      },
    },
  };
  await runStage(stage);
  expect(calls).toEqual([
    ["pre_get_sources_script", ["runner pre", "job pre"], false],
    ["post_get_sources_script", ["job post 1", "job post 2", "runner post"], true],
  ]);
  calls.length = 0;
  await runStage({ ...stage, variables: { GIT_STRATEGY: "none" } });
  expect(calls).toEqual([]);
});

test("variables of the job that name another repository do not lead git there", async () => {
  const { folder, second, repositoryUrl } = projectWithTwoCommits();
  const environment = { GIT_DIR: "/nonexistent", GIT_WORK_TREE: folder, GIT_INDEX_FILE: "/x" };
  await runStage({ folder, job: makeJob({ repositoryUrl, sha: second }), environment });
  expect(read(folder, "a.txt")).toBe("two");
});

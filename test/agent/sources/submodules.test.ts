import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { startGitServer } from "./git-server.ts";
import type { GitServerOptions } from "./git-server.ts";
import { git, makeProject, openProject, temporaryFolder } from "./project.ts";
import type { Project } from "./project.ts";
import { makeJob, projectDirOf, recordingLog, runStage, scriptGitOnline } from "./stage.ts";
import { token, withToken } from "./stage.ts";

/** group/project, with group/lib as a submodule at `lib`, and group/deep at `lib/deep`. */
const template = mkdtempSync(join(tmpdir(), "burst-submodules-"));
afterAll(() => {
  rmSync(template, { recursive: true, force: true });
});
const deep = makeProject(template, "server/group/deep").commit({ "deep.txt": "deep" });
const lib = makeProject(template, "server/group/lib");
lib.commit({ "lib.txt": "old" });
addSubmodule(lib, "deep", "../deep.git", deep);
const libSha = lib.commit({ "lib.txt": "lib" });
const project = makeProject(template, "server/group/project");
addSubmodule(project, "lib", "../lib.git", libSha);
const projectSha = project.commit({ "a.txt": "one" });

async function withSubmodules(options: Partial<GitServerOptions> = {}) {
  const folder = temporaryFolder();
  cpSync(template, folder, { recursive: true });
  const server = await startGitServer({
    root: join(folder, "server"),
    credentials: { user: "gitlab-ci-token", password: token },
    ...options,
  });
  onTestFinished(() => server.close());
  const jobFor = (sha: string) =>
    makeJob({ repositoryUrl: withToken(server.origin, "group/project"), sha, depth: 5 });
  return {
    folder,
    server,
    project: openProject(folder, "server/group/project"),
    lib: openProject(folder, "server/group/lib"),
    job: jobFor(projectSha),
    jobFor,
  };
}

function addSubmodule(within: Project, path: string, url: string, sha: string): void {
  setUrl(within, path, url);
  within.git(["config", "--file", ".gitmodules", `submodule.${path}.path`, path]);
  within.git(["update-index", "--add", "--cacheinfo", `160000,${sha},${path}`]);
  // A folder, so that `git add --all` does not take the submodule out again.
  mkdirSync(join(within.git(["rev-parse", "--show-toplevel"]), path), { recursive: true });
}

function setUrl(within: Project, path: string, url: string): void {
  within.git(["config", "--file", ".gitmodules", `submodule.${path}.url`, url]);
}

const recursive = { GIT_SUBMODULE_STRATEGY: "recursive" };
const normal = { GIT_SUBMODULE_STRATEGY: "normal" };

function read(folder: string, name: string): string {
  return readFileSync(join(projectDirOf(folder), name), "utf8");
}

test("without a strategy submodules are skipped", async () => {
  const { folder, job } = await withSubmodules();
  const log = await runStage({ folder, job });
  expect(log.said.at(-1)).toBe("info: Skipping Git submodules setup");
  expect(readdirSync(join(projectDirOf(folder), "lib"))).toEqual([]);
});

test("strategy normal brings the project's own submodules, not theirs", async () => {
  const { folder, job } = await withSubmodules();
  const log = await runStage({ folder, job, variables: normal });
  expect(read(folder, "lib/lib.txt")).toBe("lib");
  expect(readdirSync(join(projectDirOf(folder), "lib/deep"))).toEqual([]);
  // A line more where git-lfs is installed.
  const said = log.said.filter((line) => line !== "info: Pulling LFS files...");
  expect(said.slice(-3)).toEqual([
    "info: Updating/initializing submodules with git depth set to 5...",
    "info: Updated submodules",
    "info: Configuring submodules to use parent git credentials...",
  ]);
});

test("strategy recursive brings them all; a later job finds them as its commit has them", async () => {
  const { folder, lib, project, job, jobFor } = await withSubmodules();
  await runStage({ folder, job, variables: recursive });
  expect(read(folder, "lib/deep/deep.txt")).toBe("deep");
  writeFileSync(join(projectDirOf(folder), "lib/left.txt"), "left by a script");
  writeFileSync(join(projectDirOf(folder), "lib/lib.txt"), "changed by a script");
  const newer = lib.commit({ "lib.txt": "newer" });
  project.git(["update-index", "--cacheinfo", `160000,${newer},lib`]);
  project.git(["commit", "--quiet", "-m", "newer lib"]);
  project.push("main");
  const sha = project.git(["rev-parse", "HEAD"]);
  await runStage({ folder, job: jobFor(sha), variables: recursive });
  expect(read(folder, "lib/lib.txt")).toBe("newer");
  expect(read(folder, "lib/deep/deep.txt")).toBe("deep");
  expect(existsSync(join(projectDirOf(folder), "lib/left.txt"))).toBe(false);
});

test("a submodule's absolute address on the same GitLab gets the token", async () => {
  const { folder, project, server, jobFor } = await withSubmodules();
  setUrl(project, "lib", `${server.origin}/group/lib.git`);
  await runStage({ folder, job: jobFor(project.commit({})), variables: normal });
  expect(read(folder, "lib/lib.txt")).toBe("lib");
});

test("git in a submodule authenticates in the job's script, without a token on the disk", async () => {
  const { folder, lib, job } = await withSubmodules();
  await runStage({ folder, job, variables: recursive });
  const next = lib.commit({ "lib.txt": "newer" });
  const inLib = ["-C", "lib"];
  await scriptGitOnline(folder, [...inLib, "fetch", "--quiet", "origin", "main"], {
    CI_JOB_TOKEN: token,
  });
  expect(await scriptGitOnline(folder, [...inLib, "rev-parse", "FETCH_HEAD"])).toBe(next);
  const config = readFileSync(join(projectDirOf(folder), ".git/modules/lib/config"), "utf8");
  expect(config).not.toContain(token);
  expect(config).toContain(".gitlab-burst.job.gitconfig");
});

test("GIT_SUBMODULE_PATHS, _DEPTH and _UPDATE_FLAGS reach git submodule update", async () => {
  const { folder, project, jobFor } = await withSubmodules();
  addSubmodule(project, "other", "../lib.git", libSha);
  const job = jobFor(project.commit({}));
  const variables = {
    ...normal,
    GIT_SUBMODULE_PATHS: "lib",
    GIT_SUBMODULE_DEPTH: "1",
    GIT_SUBMODULE_UPDATE_FLAGS: "--jobs 2",
  };
  const log = await runStage({ folder, job, variables });
  expect(log.said).toContain("info: Updating/initializing submodules with git depth set to 1...");
  expect(readdirSync(join(projectDirOf(folder), "other"))).toEqual([]);
  const inLib = join(projectDirOf(folder), "lib");
  expect(git(inLib, ["rev-list", "--count", "HEAD"])).toBe("1");
  expect(git(projectDirOf(folder), ["config", "submodule.other.url"])).toContain("group/lib.git");
});

test("GIT_SUBMODULE_FORCE_HTTPS fetches ssh addresses of GitLab over HTTP, with the token", async () => {
  const { folder, server, project, jobFor } = await withSubmodules();
  setUrl(project, "lib", "git@gitlab.invalid:group/lib.git");
  const variables = {
    ...normal,
    GIT_SUBMODULE_FORCE_HTTPS: "true",
    CI_SERVER_URL: server.origin,
    CI_SERVER_HOST: "gitlab.invalid",
  };
  await runStage({ folder, job: jobFor(project.commit({})), variables });
  expect(read(folder, "lib/lib.txt")).toBe("lib");
});

test("a submodule on another server is not shown the job's token", async () => {
  const { folder, project, jobFor } = await withSubmodules();
  const elsewhere = await startGitServer({ root: join(folder, "server") });
  onTestFinished(() => elsewhere.close());
  setUrl(project, "lib", `${elsewhere.origin}/group/lib.git`);
  await runStage({ folder, job: jobFor(project.commit({})), variables: normal });
  expect(read(folder, "lib/lib.txt")).toBe("lib");
  const shown = elsewhere.requests.filter(({ headers }) => headers.authorization !== undefined);
  expect(shown).toEqual([]);
});

test("an update that fails is tried once more", async () => {
  let refusals = 3;
  const { folder, job } = await withSubmodules({
    misbehave: ({ path }) => (path.includes("/lib.git") && refusals-- > 0 ? 500 : undefined),
  });
  const log = await runStage({ folder, job, variables: normal });
  expect(log.said).toContain("warning: Updating submodules failed. Retrying...");
  expect(read(folder, "lib/lib.txt")).toBe("lib");
});

test("an update that fails twice ends the stage with git's exit code", async () => {
  const { folder, job } = await withSubmodules({
    misbehave: ({ path }) => (path.includes("/lib.git") ? 500 : undefined),
  });
  const log = recordingLog();
  const failed = runStage({ folder, job, variables: normal }, log);
  await expect(failed).rejects.toMatchObject({
    reason: "script_failure",
    message: "git submodule ended with exit code 1",
  });
});

test.each(["lib/.git", "lib/deep/.git"])(
  "a submodule whose %s an earlier job bent to settings of its own is made anew",
  async (gitFile) => {
    const { folder, job } = await withSubmodules();
    await runStage({ folder, job, variables: recursive });
    const evidence = join(folder, "evidence");
    const evil = join(folder, "evil");
    const worktree = join(projectDirOf(folder), gitFile, "..");
    git(worktree, ["clone", "--quiet", "--bare", ".", evil]);
    const filter = `[filter "evil"]\n\tsmudge = touch ${evidence}; cat\n\tclean = touch ${evidence}; cat\n`;
    appendFileSync(join(evil, "config"), `[core]\n\tbare = false\n${filter}`);
    mkdirSync(join(evil, "info"), { recursive: true });
    writeFileSync(join(evil, "info/attributes"), "* filter=evil\n");
    rmSync(join(projectDirOf(folder), gitFile));
    writeFileSync(join(projectDirOf(folder), gitFile), `gitdir: ${evil}\n`);
    await runStage({ folder, job, variables: recursive });
    expect(existsSync(evidence)).toBe(false);
    expect(read(folder, "lib/deep/deep.txt")).toBe("deep");
    expect(read(folder, gitFile)).toContain("modules/");
  },
);

test("what an earlier job wrote into a submodule's settings and hooks is not run", async () => {
  const { folder, job } = await withSubmodules();
  await runStage({ folder, job, variables: recursive });
  const evidence = join(folder, "evidence");
  for (const module of ["lib", "lib/modules/deep"]) {
    const gitDir = join(projectDirOf(folder), ".git/modules", module);
    const filter = `[filter "evil"]\n\tsmudge = touch ${evidence}; cat\n\tclean = touch ${evidence}; cat\n`;
    appendFileSync(join(gitDir, "config"), filter);
    mkdirSync(join(gitDir, "info"), { recursive: true });
    writeFileSync(join(gitDir, "info/attributes"), "* filter=evil\n");
    writeFileSync(join(gitDir, "index.lock"), "");
  }
  rmSync(join(projectDirOf(folder), "lib/lib.txt"));
  await runStage({ folder, job, variables: recursive });
  expect(existsSync(evidence)).toBe(false);
  expect(read(folder, "lib/lib.txt")).toBe("lib");
});

test("an unknown GIT_SUBMODULE_STRATEGY is an error of configuration that names the choices", async () => {
  const { folder, job } = await withSubmodules();
  const failed = runStage({ folder, job, variables: { GIT_SUBMODULE_STRATEGY: "all" } });
  await expect(failed).rejects.toMatchObject({
    reason: "runner_configuration_error",
    message: expect.stringContaining("'normal', 'recursive' or 'none' got \"all\"") as string,
  });
});

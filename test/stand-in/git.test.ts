import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { gitLab, record } from "./gitlab.ts";
import type { ClaimedJob } from "./gitlab.ts";

const run = promisify(execFile);

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "burst-git-test-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function git(cwd: string, ...parameters: string[]): Promise<string> {
  const { stdout } = await run("git", parameters, {
    cwd,
    env: { ...process.env, GIT_TERMINAL_PROMPT: "0", GIT_CONFIG_GLOBAL: "/dev/null" },
  });
  return stdout.trim();
}

function repositoryOf(job: ClaimedJob): string {
  return String(record(job["git_info"])["repo_url"]);
}

test("a folder is cloned with the job's token: its files, on main, without what is ignored", async () => {
  const source = folder();
  writeFileSync(join(source, "a.txt"), "hello\n");
  writeFileSync(join(source, "run.sh"), "#!/bin/sh\n", { mode: 0o755 });
  writeFileSync(join(source, ".gitignore"), "ignored\n");
  writeFileSync(join(source, "ignored"), "x");
  mkdirSync(join(source, "sub"));
  writeFileSync(join(source, "sub", "ünï code.txt"), "b\n");
  const gitlab = await gitLab({ projects: [source] });
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  const clone = join(folder(), "clone");
  await git(source, "clone", "--quiet", repositoryOf(job), clone);
  expect(readFileSync(join(clone, "a.txt"), "utf8")).toBe("hello\n");
  expect(await git(clone, "branch", "--show-current")).toBe("main");
  const listed = await git(clone, "-c", "core.quotePath=false", "ls-files");
  expect(listed.split("\n")).toEqual([".gitignore", "a.txt", "run.sh", "sub/ünï code.txt"]);
  expect(await git(clone, "ls-files", "-s", "run.sh")).toMatch(/^100755 /);
  expect(await git(clone, "rev-parse", "HEAD")).toBe(record(job["git_info"])["sha"]);
});

test("the refspecs of the payload fetch the pipeline's commit, shallow and by sha", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.addFiles("hello", { "a.txt": "1\n" });
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  const info = record(job["git_info"]);
  expect(info["refspecs"]).toEqual([
    "+refs/pipelines/1:refs/pipelines/1",
    "+refs/heads/main:refs/remotes/origin/main",
  ]);
  const clone = folder();
  await git(clone, "init", "--quiet");
  await git(clone, "remote", "add", "origin", repositoryOf(job));
  const specs = Array.isArray(info["refspecs"]) ? info["refspecs"].map(String) : [];
  await git(clone, "fetch", "--quiet", "--depth", "1", "origin", ...specs);
  await git(clone, "checkout", "--quiet", String(info["sha"]));
  expect(readFileSync(join(clone, "a.txt"), "utf8")).toBe("1\n");
  await git(clone, "fetch", "--quiet", "--filter=blob:none", "origin", String(info["sha"]));
});

test("a working copy's own .git is not taken, its files as they are now are", async () => {
  const source = folder();
  await git(source, "init", "--quiet");
  writeFileSync(join(source, "uncommitted.txt"), "new\n");
  const gitlab = await gitLab({ projects: [source] });
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  const clone = join(folder(), "clone");
  await git(source, "clone", "--quiet", repositoryOf(job), clone);
  expect(await git(clone, "ls-files")).toBe("uncommitted.txt");
  expect(await git(source, "status", "--porcelain")).toBe("?? uncommitted.txt");
});

test("a folder committed again is a second commit, and old pipelines keep the first", async () => {
  const source = folder();
  writeFileSync(join(source, "a.txt"), "1\n");
  const gitlab = await gitLab({ projects: [source] });
  const before = await gitlab.standIn.enqueue();
  writeFileSync(join(source, "a.txt"), "2\n");
  const sha = await gitlab.standIn.commitFolder(1);
  const after = await gitlab.standIn.enqueue();
  expect(gitlab.standIn.pipeline(after.pipelineId).sha).toBe(sha);
  expect(gitlab.standIn.pipeline(before.pipelineId).sha).not.toBe(sha);
  const job = await gitlab.claim();
  const clone = join(folder(), "clone");
  await git(source, "clone", "--quiet", repositoryOf(job), clone);
  expect(await git(clone, "log", "--format=%s")).toBe("Import the files again\nImport the files");
});

const info = "/root/raw.git/info/refs?service=git-upload-pack";

function basic(user: string, password: string) {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
}

test("git wants a job token: 401 without, with a wrong one, and once the job is over", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  const ask = (headers: Record<string, string>) => gitlab.call("GET", info, { headers });
  const without = await ask({});
  expect(without.status).toBe(401);
  expect(without.headers.get("www-authenticate")).toContain("Basic");
  expect((await ask(basic("gitlab-ci-token", "wrong"))).status).toBe(401);
  expect((await ask(basic("someone", job.token))).status).toBe(401);
  expect((await ask(basic("gitlab-ci-token", job.token))).status).toBe(200);
  await gitlab.put(job, { state: "success" });
  expect((await ask(basic("gitlab-ci-token", job.token))).status).toBe(401);
});

test("a job token opens no other project, and lets nobody push", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.addFiles("one", { "a.txt": "a" });
  await gitlab.standIn.addFiles("two", { "a.txt": "a" });
  await gitlab.standIn.enqueue({ project: "root/one" });
  const job = await gitlab.claim();
  const headers = basic("gitlab-ci-token", job.token);
  const ask = (path: string) => gitlab.call("GET", path, { headers });
  expect((await ask("/root/two.git/info/refs?service=git-upload-pack")).status).toBe(403);
  expect((await ask("/root/none.git/info/refs?service=git-upload-pack")).status).toBe(404);
  expect((await ask("/root/one.git/info/refs?service=git-receive-pack")).status).toBe(403);
  expect((await ask("/root/one.git/info/refs")).status).toBe(403);
  expect((await ask("/root/one.git/config")).status).toBe(404);
});

test("a path without .git is redirected to the one with it", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  const answer = await gitlab.call("GET", "/root/raw/info/refs?service=git-upload-pack");
  expect(answer.status).toBe(301);
  expect(answer.headers.get("location")).toBe(gitlab.standIn.url + info);
});

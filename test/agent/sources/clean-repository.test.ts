import { appendFileSync, chmodSync, existsSync, lstatSync, mkdirSync } from "node:fs";
import { readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { git, makeProject, temporaryFolder } from "./project.ts";
import { makeJob, projectDirOf, runStage, scriptGit } from "./stage.ts";

/** A project that a job has run in. */
async function usedProject() {
  const folder = temporaryFolder();
  const project = makeProject(folder, "group/project");
  const sha = project.commit({ "a.txt": "one", ".gitattributes": "a.txt filter=evil\n" });
  const next = project.commit({ "a.txt": "two" });
  const repositoryUrl = `file://${project.folder}`;
  const refspecs = ["+refs/heads/*:refs/remotes/origin/*"];
  await runStage({ folder, job: makeJob({ repositoryUrl, sha, refspecs }) });
  const gitDir = join(projectDirOf(folder), ".git");
  const evidence = join(folder, "evidence");
  const trap = join(folder, "trap");
  writeFileSync(trap, `#!/bin/sh\necho "$0 $*" >> ${evidence}\ncat\n`);
  chmodSync(trap, 0o755);
  return { folder, gitDir, trap, evidence, job: makeJob({ repositoryUrl, sha: next, refspecs }) };
}

const traps = (trap: string) => `
[core]
	fsmonitor = ${trap}
	hooksPath = ${trap}s
	sshCommand = ${trap}
	pager = ${trap}
	worktree = /nonexistent
[filter "evil"]
	smudge = ${trap}
	clean = ${trap}
	required = true
[credential]
	helper = ${trap}
[alias]
	fetch = !${trap}
[remote "origin"]
	uploadpack = ${trap}
[url "file:///nonexistent/"]
	insteadOf = file:///
[diff]
	external = ${trap}
`;

test("locks that a killed git left behind stop nobody", async () => {
  const { folder, gitDir, job } = await usedProject();
  const locks = ["index.lock", "shallow.lock", "HEAD.lock", "config.lock", "packed-refs.lock"];
  for (const lock of [...locks, "refs/remotes/origin/main.lock"]) {
    writeFileSync(join(gitDir, lock), "");
  }
  await runStage({ folder, job });
  const left = readdirSync(gitDir, { recursive: true }).filter((name) =>
    String(name).endsWith(".lock"),
  );
  expect(left).toEqual([]);
  expect(readFileSync(join(projectDirOf(folder), "a.txt"), "utf8")).toBe("two");
});

test("nothing that an earlier job wrote into .git/config is run or heeded", async () => {
  const { folder, gitDir, trap, evidence, job } = await usedProject();
  appendFileSync(join(gitDir, "config"), traps(trap));
  await runStage({ folder, job });
  expect(existsSync(evidence)).toBe(false);
  expect(readFileSync(join(gitDir, "config"), "utf8")).not.toContain(trap);
  expect(readFileSync(join(projectDirOf(folder), "a.txt"), "utf8")).toBe("two");
});

test("hooks of an earlier job are not run, and removed", async () => {
  const { folder, gitDir, trap, evidence, job } = await usedProject();
  mkdirSync(join(gitDir, "hooks"));
  for (const hook of ["post-checkout", "reference-transaction", "post-index-change"]) {
    writeFileSync(join(gitDir, "hooks", hook), readFileSync(trap), { mode: 0o755 });
  }
  await runStage({ folder, job });
  expect(existsSync(evidence)).toBe(false);
  expect(existsSync(join(gitDir, "hooks"))).toBe(false);
});

test("settings in another folder, to which an earlier job pointed git, are not read", async () => {
  const { folder, gitDir, trap, evidence, job } = await usedProject();
  const evil = join(folder, "evil");
  git(folder, ["init", "--quiet", "--bare", evil]);
  appendFileSync(join(evil, "config"), traps(trap));
  writeFileSync(join(gitDir, "commondir"), evil);
  await runStage({ folder, job });
  expect(existsSync(evidence)).toBe(false);
});

test.each(["a file that points", "a link"])(
  "where .git is %s to another repository, a fresh one takes its place",
  async (kind) => {
    const { folder, gitDir, trap, evidence, job } = await usedProject();
    const evil = join(folder, "evil");
    renameSync(gitDir, evil);
    appendFileSync(join(evil, "config"), traps(trap));
    if (kind === "a link") symlinkSync(evil, gitDir);
    else writeFileSync(gitDir, `gitdir: ${evil}\n`);
    const log = await runStage({ folder, job });
    expect(existsSync(evidence)).toBe(false);
    expect(log.said).toContain("info: Created fresh repository.");
    expect(lstatSync(gitDir).isDirectory()).toBe(true);
    expect(existsSync(join(evil, "HEAD"))).toBe(true);
  },
);

test("where the project's folder has become a link, what it leads to is left alone", async () => {
  const { folder, job } = await usedProject();
  const precious = join(folder, "precious");
  mkdirSync(precious);
  writeFileSync(join(precious, "file"), "");
  rmSync(projectDirOf(folder), { recursive: true });
  symlinkSync(precious, projectDirOf(folder));
  await runStage({ folder, job });
  expect(readdirSync(precious)).toEqual(["file"]);
  expect(lstatSync(projectDirOf(folder)).isDirectory()).toBe(true);
});

test("a commit that an earlier job replaced is checked out as it was made", async () => {
  const { folder, job } = await usedProject();
  await runStage({ folder, job });
  const other = scriptGit(folder, ["rev-parse", "HEAD~1"]);
  scriptGit(folder, ["replace", job.git_info.sha, other]);
  rmSync(join(projectDirOf(folder), ".git/index"));
  await runStage({ folder, job });
  expect(readFileSync(join(projectDirOf(folder), "a.txt"), "utf8")).toBe("two");
});

test("with clean_git_config off, .git/config is kept but for the remote and our include", async () => {
  const { folder, gitDir, trap, evidence, job } = await usedProject();
  const keep = { settings: { cleanGitConfig: false } };
  scriptGit(folder, ["config", "user.name", "Somebody"]);
  scriptGit(folder, ["config", "core.fsmonitor", trap]);
  scriptGit(folder, ["config", "core.hooksPath", folder]);
  symlinkSync(trap, join(folder, "reference-transaction"));
  scriptGit(folder, ["config", "remote.origin.url", "http://u:secret@elsewhere.invalid/x.git"]);
  await runStage({ folder, job, ...keep });
  await runStage({ folder, job, ...keep });
  const config = readFileSync(join(gitDir, "config"), "utf8");
  expect(scriptGit(folder, ["config", "user.name"])).toBe("Somebody");
  expect(config).not.toContain("secret");
  expect(config.match(/\.gitlab-burst\.job\.gitconfig/g)).toHaveLength(1);
  expect(existsSync(evidence)).toBe(false);
});

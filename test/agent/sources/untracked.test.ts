import { appendFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sleep } from "../../../src/agent/clock.ts";
import { listUntracked } from "../../../src/agent/sources/untracked.ts";
import { git, plainEnvironment, temporaryFolder } from "./project.ts";

function list(projectDir: string, signal = new AbortController().signal) {
  return listUntracked({ projectDir, environment: plainEnvironment, signal, sleep });
}

function projectWithFiles() {
  const folder = temporaryFolder();
  git(folder, ["init", "--quiet"]);
  writeFileSync(join(folder, "tracked.txt"), "");
  writeFileSync(join(folder, ".gitignore"), "*.o\n");
  git(folder, ["add", "--all"]);
  mkdirSync(join(folder, "sub"));
  for (const name of ["a.o", "ünï\ncode.txt", "sub/b.txt"]) writeFileSync(join(folder, name), "");
  return folder;
}

const untracked = ["a.o", "sub/b.txt", "ünï\ncode.txt"];

test("all files that git does not track are listed, ignored ones and odd names too", async () => {
  const outcome = await list(projectWithFiles());
  expect(outcome.kind === "listed" && outcome.paths.toSorted()).toEqual(untracked);
});

test("what a script wrote into .git/config is neither run nor heeded", async () => {
  const folder = projectWithFiles();
  const evidence = join(temporaryFolder(), "evidence");
  const settings = `[core]\n\tfsmonitor = touch ${evidence}\n\thooksPath = /tmp\n\tworktree = /etc\n`;
  appendFileSync(join(folder, ".git/config"), settings);
  const outcome = await list(folder);
  expect(existsSync(evidence)).toBe(false);
  expect(outcome.kind === "listed" && outcome.paths.toSorted()).toEqual(untracked);
});

test("a repository within the project is listed as a folder", async () => {
  const folder = projectWithFiles();
  git(folder, ["init", "--quiet", "nested"]);
  git(join(folder, "nested"), ["commit", "--quiet", "--allow-empty", "-m", "x"]);
  const outcome = await list(folder);
  expect(outcome).toMatchObject({ paths: expect.arrayContaining(["nested/"]) as unknown });
});

test("a project without repository is said to be one, and a repository around it is not asked", async () => {
  const folder = projectWithFiles();
  const outcome = await list(join(folder, "sub"));
  expect(outcome).toMatchObject({
    kind: "failed",
    message: expect.stringContaining("not a git repository") as string,
  });
});

test("an abort is thrown as the signal's reason", async () => {
  const listing = list(projectWithFiles(), AbortSignal.abort(new Error("canceled")));
  await expect(listing).rejects.toThrow("canceled");
});

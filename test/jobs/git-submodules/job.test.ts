import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

// A job's token opens its own project only, so the submodules here are this project at earlier commits:
// `library` is the second one, which has the first one as `inner`.
const { job, trace } = await runFolder(import.meta.url, {
  async push(gitlab, folder) {
    writeFileSync(join(folder, "inner.txt"), "the first commit\n");
    const project = await gitlab.addProject(folder);
    const first = await gitlab.commitFolder(project.id);
    writeFileSync(join(folder, "library.txt"), "the second commit\n");
    embed(folder, "inner", first);
    const second = await gitlab.commitFolder(project.id);
    rmSync(join(folder, "inner"), { recursive: true });
    embed(folder, "library", second);
    await gitlab.commitFolder(project.id);
    return project;
  },
});

/** As much of a submodule as git needs to record its commit. */
function embed(parent: string, name: string, sha: string): void {
  for (const part of ["objects", "refs"]) {
    mkdirSync(join(parent, name, ".git", part), { recursive: true });
  }
  writeFileSync(join(parent, name, ".git", "HEAD"), `${sha}\n`);
  const section = `[submodule "${name}"]\n\tpath = ${name}\n\turl = ../git-submodules.git\n`;
  writeFileSync(join(parent, ".gitmodules"), section);
}

test("without a strategy submodules stay empty", () => {
  expect(trace("none")).toContain("\nSkipping Git submodules setup\n");
  expect(trace("none")).toContain("\n0\n");
});

test("normal fills the project's own submodules, recursive those within them too", () => {
  expect(trace("normal")).toContain("\nthe second commit\n");
  expect(trace("normal")).toContain("\n0\n");
  expect(trace("recursive")).toContain("\nthe first commit\n");
});

test("git within submodules can authenticate, and no token lies in their configuration", () => {
  expect(job("recursive").status).toBe("success");
  expect(trace("recursive")).toMatch(/\nhttp:\/\/127\.0\.0\.1:\d+\/root\/git-submodules\.git\n/);
});

test("a strategy for submodules that does not exist is the pipeline's mistake", () => {
  expect(job("misspelt")).toMatchObject({
    status: "failed",
    failureReason: "runner_configuration_error",
  });
  expect(trace("misspelt")).toContain("GIT_SUBMODULE_STRATEGY: expected either");
  expect(trace("misspelt")).not.toContain("\nnever\n");
});

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { plainGitEnvironment } from "../../../src/agent/sources/git-environment.ts";
import { git, plainEnvironment, temporaryFolder } from "./project.ts";

test("git never looks above the project's folder for a repository", () => {
  const outer = temporaryFolder();
  git(outer, ["init", "--quiet"]);
  const projectDir = join(outer, "builds", "project");
  mkdirSync(projectDir, { recursive: true });
  const look = () =>
    git(projectDir, ["rev-parse", "--git-dir"], plainGitEnvironment(plainEnvironment, projectDir));
  expect(look).toThrow("not a git repository");
});

test("git may ask nobody, even where the job says otherwise", () => {
  const base = { GIT_TERMINAL_PROMPT: "1", GIT_DIR: "/elsewhere", PATH: "/bin" };
  expect(plainGitEnvironment(base, "/builds/p")).toEqual({
    PATH: "/bin",
    GIT_TERMINAL_PROMPT: "0",
    GCM_INTERACTIVE: "Never",
    GIT_CEILING_DIRECTORIES: "/builds",
    GIT_NO_REPLACE_OBJECTS: "1",
  });
});

// Projects to fetch from: a bare repository each, with commits made by the test.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder for one test, gone with it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "burst-sources-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  return folder;
}

/** Git as nobody in particular: the settings of the machine's user have no say. */
export const plainEnvironment: Readonly<Record<string, string>> = {
  PATH: process.env["PATH"] ?? "",
  HOME: "/nonexistent",
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TEMPLATE_DIR: "",
  GIT_AUTHOR_NAME: "Ann",
  GIT_AUTHOR_EMAIL: "ann@example.com",
  GIT_COMMITTER_NAME: "Ann",
  GIT_COMMITTER_EMAIL: "ann@example.com",
};

export function git(
  cwd: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = plainEnvironment,
): string {
  return execFileSync("git", args, {
    cwd,
    env: environment,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();
}

export interface Project {
  /** The bare repository. */
  readonly folder: string;
  /** Commits these files (undefined removes one) on `main` and returns the commit's id. */
  commit(files: Readonly<Record<string, string | undefined>>): string;
  /** Runs git in the working copy that the commits are made in; push afterwards with `push`. */
  git(args: readonly string[]): string;
  push(...refspecs: readonly string[]): void;
}

/** Below `root`: the bare repository at `path`.git, its working copy in a folder apart. */
export function makeProject(root: string, path: string, objectFormat = "sha1"): Project {
  const project = openProject(root, path);
  const format = `--object-format=${objectFormat}`;
  mkdirSync(root, { recursive: true });
  git(root, ["init", "--quiet", "--bare", "-b", "main", format, project.folder]);
  git(root, ["init", "--quiet", "-b", "main", format, copyOf(root, path)]);
  return project;
}

/** One that was made before, perhaps in a folder that this one is a copy of. */
export function openProject(root: string, path: string): Project {
  const folder = join(root, `${path}.git`);
  const copy = copyOf(root, path);
  const push = (...refspecs: readonly string[]) => {
    git(copy, ["push", "--quiet", "--force", folder, ...refspecs]);
  };
  return {
    folder,
    push,
    git: (args) => git(copy, args),
    commit(files) {
      for (const [name, content] of Object.entries(files)) {
        const file = join(copy, name);
        mkdirSync(dirname(file), { recursive: true });
        if (content === undefined) rmSync(file);
        else writeFileSync(file, content);
      }
      git(copy, ["add", "--all"]);
      git(copy, ["commit", "--quiet", "--allow-empty", "-m", "a change"]);
      push("main");
      return git(copy, ["rev-parse", "HEAD"]);
    },
  };
}

function copyOf(root: string, path: string): string {
  return join(root, "copies", path);
}

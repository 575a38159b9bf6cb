// In a repository that is used again: submodules whose `.git` an earlier job has bent. Git runs in a
// submodule with the settings it finds through that file; it must lead to a directory below our own
// .git/modules, which clean-repository.ts has gone through.

import { readFile, readdir, rm } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { kindOf } from "./clean-repository.ts";
import type { Git } from "./git-command.ts";

/** Removes their work trees; `git submodule update` makes them anew from the objects there are. */
export async function removeForeignWorktrees(git: Git, projectDir: string): Promise<void> {
  const modules = join(projectDir, ".git", "modules");
  for (const path of await submodulePaths(git)) {
    const worktree = join(projectDir, path);
    if (!isBelow(projectDir, worktree)) continue;
    if (!(await isOurs(worktree, modules))) await rm(worktree, { recursive: true, force: true });
  }
}

async function submodulePaths(git: Git): Promise<readonly string[]> {
  const file = ["config", "--file", ".gitmodules"];
  const entries = await git.read([
    ...file,
    "--null",
    "--get-regexp",
    String.raw`^submodule\..*\.path$`,
  ]);
  return entries
    .split("\0")
    .map((entry) => entry.slice(entry.indexOf("\n") + 1))
    .filter((path) => path !== "");
}

/** Looks at every `.git` in it, of submodules within the submodule too. */
async function isOurs(folder: string, modules: string): Promise<boolean> {
  const kind = await kindOf(folder);
  if (kind !== "folder") return kind === "nothing";
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.name === ".git" && !(entry.isFile() && (await leadsBelow(path, modules))))
      return false;
    if (entry.isDirectory() && !(await isOurs(path, modules))) return false;
  }
  return true;
}

async function leadsBelow(gitFile: string, modules: string): Promise<boolean> {
  const text = await readFile(gitFile, "utf8");
  const target = /^gitdir: (.+?)[\r\n]*$/.exec(text)?.[1];
  return target !== undefined && isBelow(modules, resolve(gitFile, "..", target));
}

function isBelow(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== "" && way !== ".." && !way.startsWith("../");
}

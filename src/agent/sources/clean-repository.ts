// What an earlier job left in a repository that is used again: locks of a git that was killed, and
// (unless the settings keep it) every setting by which it could have git start a program, or read
// other settings. Links are removed, never followed.

import { lstat, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { configText } from "./config-text.ts";

export interface CleanOptions {
  /** clean_git_config. */
  readonly resetConfig: boolean;
  /** Whether the repositories of submodules will be used, too. */
  readonly submodules: boolean;
  readonly objectFormat: string;
}

export async function cleanRepository(gitDir: string, options: CleanOptions): Promise<void> {
  await cleanGitDir(gitDir, options.resetConfig);
  if (!options.submodules) return;
  for await (const moduleDir of moduleDirs(gitDir)) {
    await cleanGitDir(moduleDir, options.resetConfig);
    if (options.resetConfig) await writeModuleConfig(moduleDir, options.objectFormat);
  }
}

/** The git directories of submodules, and of theirs, with their own `.git` left out. */
export async function* moduleDirs(gitDir: string): AsyncGenerator<string> {
  yield* gitDirsBelow(join(gitDir, "modules"));
}

async function* gitDirsBelow(folder: string): AsyncGenerator<string> {
  // A submodule's name may have slashes: modules/vendor/lib is the directory of "vendor/lib".
  for (const path of await realFoldersIn(folder)) {
    if (!(await exists(join(path, "HEAD")))) yield* gitDirsBelow(path);
    else {
      yield path;
      yield* gitDirsBelow(join(path, "modules"));
    }
  }
}

/** Where a script has put a link in a folder's place, the link goes. */
async function realFoldersIn(folder: string): Promise<readonly string[]> {
  if ((await kindOf(folder)) !== "folder") {
    await remove(folder);
    return [];
  }
  const entries = await readdir(folder, { withFileTypes: true });
  const links = entries.filter((entry) => entry.isSymbolicLink());
  await Promise.all(links.map((entry) => remove(join(folder, entry.name))));
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
}

/** Where settings come from, what runs with a checkout, and what changes its content. */
const foreignSettings = [
  "config",
  "config.worktree",
  "commondir",
  "hooks",
  "info/attributes",
  "info/grafts",
  "info/sparse-checkout",
] as const;

async function cleanGitDir(gitDir: string, resetConfig: boolean): Promise<void> {
  const unwanted = resetConfig ? foreignSettings : (["hooks/post-checkout"] as const);
  await Promise.all([
    removeLocks(gitDir),
    removeLocksBelow(join(gitDir, "refs")),
    ...unwanted.map((name) => remove(join(gitDir, name))),
  ]);
}

async function removeLocks(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const locks = entries.filter((entry) => !entry.isDirectory() && entry.name.endsWith(".lock"));
  await Promise.all(locks.map((entry) => remove(join(folder, entry.name))));
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
}

async function removeLocksBelow(folder: string): Promise<void> {
  if ((await kindOf(folder)) !== "folder") return;
  for (const below of await removeLocks(folder)) await removeLocksBelow(below);
}

/**
 * A submodule's settings from scratch. It has the object format of the project around it; its remote
 * and work tree are written again by `git submodule sync` and `update`.
 */
async function writeModuleConfig(gitDir: string, objectFormat: string): Promise<void> {
  const text = configText([
    ["core.repositoryFormatVersion", isDefaultFormat(objectFormat) ? "0" : "1"],
    ["core.bare", "false"],
    ...(isDefaultFormat(objectFormat) ? [] : [["extensions.objectFormat", objectFormat] as const]),
  ]);
  await writeFile(join(gitDir, "config"), text, { flag: "wx" });
}

export function isDefaultFormat(objectFormat: string): boolean {
  return objectFormat === "" || objectFormat === "sha1";
}

/** What lies there itself, not what a link leads to. */
export async function kindOf(path: string): Promise<"nothing" | "folder" | "file" | "link"> {
  const found = await lstat(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (found === undefined) return "nothing";
  if (found.isSymbolicLink()) return "link";
  return found.isDirectory() ? "folder" : "file";
}

async function exists(path: string): Promise<boolean> {
  return (await kindOf(path)) !== "nothing";
}

function isMissing(error: unknown): boolean {
  return (
    error instanceof Error && "code" in error && ["ENOENT", "ENOTDIR"].includes(String(error.code))
  );
}

function remove(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true });
}

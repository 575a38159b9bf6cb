// Git LFS: whether the program is there, and whether the commit has files for it. Most machines and most
// repositories have none; a `git lfs pull` starts two dozen processes to find that out.

import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { shellQuote } from "../../core/shell-quote.ts";
import type { Git } from "./git-command.ts";

export async function hasGitLfs(environment: Readonly<Record<string, string>>): Promise<boolean> {
  const folders = (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const found = await Promise.all(
    folders.map((folder) =>
      access(join(folder, "git-lfs"), constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}

/** By the attributes, as git-lfs itself chooses what to check out. */
const lfsFiles = ["ls-files", "--", ":(attr:filter=lfs)"] as const;

export async function usesGitLfs(git: Git): Promise<boolean> {
  return (await git.read(lfsFiles)) !== "";
}

/** The same in a submodule, for its shell. */
export const pullWhereUsed = `files=$(git ${lfsFiles.map(shellQuote).join(" ")}) && test -z "$files" || git lfs pull`;

/**
 * For a `git lfs pull`: the settings that `git lfs install` writes, for this command alone. Without them git-lfs
 * fetches and does not check out.
 */
export const lfsFilters: readonly string[] = [
  "-c",
  "filter.lfs.clean=git-lfs clean -- %f",
  "-c",
  "filter.lfs.smudge=git-lfs smudge -- %f",
  "-c",
  "filter.lfs.process=git-lfs filter-process",
  "-c",
  "filter.lfs.required=true",
];

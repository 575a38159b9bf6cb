// Git LFS: whether the program is there. Looked up instead of started: most machines and most
// repositories have none.

import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";

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

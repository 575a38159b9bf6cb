// The project as a fresh clone would have it, with what is not committed yet: for what builds into its own folder.

import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface FreshTree {
  readonly folder: string;
  remove(): void;
}

/** Packages are those of this tree: nothing is installed. */
export async function freshTree(): Promise<FreshTree> {
  const folder = mkdtempSync(join(tmpdir(), "burst-tree-"));
  const list = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  const { stdout } = await promisify(execFile)("git", list, {
    cwd: root,
    maxBuffer: 16 * 1024 * 1024,
  });
  for (const path of stdout.split("\0").filter((path) => path !== "")) {
    if (existsSync(join(root, path))) cpSync(join(root, path), join(folder, path));
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

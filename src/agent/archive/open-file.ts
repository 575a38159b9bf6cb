// Opens a regular file of the project for reading: not through a link, and without hanging on a FIFO.

import { constants } from "node:fs";
import type { Stats } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { RunnerError } from "../../core/errors.ts";
import type { ProjectTree } from "./project-tree.ts";

export type OpenedFile =
  | { readonly kind: "open"; readonly handle: FileHandle; readonly stat: Stats }
  | { readonly kind: "gone"; readonly why: string };

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** `path` is relative to the tree's root. A file that is there but cannot be read fails the job's upload. */
export async function openProjectFile(tree: ProjectTree, path: string): Promise<OpenedFile> {
  let handle: FileHandle | undefined;
  try {
    const slash = path.lastIndexOf("/");
    const directory = tree.enter(slash === -1 ? "" : path.slice(0, slash));
    handle = await open(
      `${directory}/${path.slice(slash + 1)}`,
      O_RDONLY | O_NOFOLLOW | O_NONBLOCK,
    );
    const stat = await handle.stat();
    if (stat.isFile()) return { kind: "open", handle, stat };
    await handle.close();
    return { kind: "gone", why: "not a regular file any more" };
  } catch (error) {
    await handle?.close();
    const code = errorCode(error);
    if (code === "ENOENT") return { kind: "gone", why: "no such file any more" };
    if (["ELINK", "ELOOP", "ENOTDIR", "ENXIO"].includes(code)) {
      return { kind: "gone", why: "something else is in its place now" };
    }
    throw new RunnerError("script_failure", `${path} cannot be read: ${errorText(error)}`, {
      exitCode: 1,
      cause: error,
    });
  }
}

export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** `EACCES: permission denied` without the system call and the path, which may be one of ours. */
export function errorText(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /^E[A-Z0-9]+: /.test(message) ? (message.split(", ")[0] ?? message) : message;
}

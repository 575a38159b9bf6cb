// Whether any file of a cache has changed since its archive was made. As in GitLab Runner times are all that is
// compared: unpacking puts files' and folders' times back, so an untouched cache is as old as it was.

import * as fs from "node:fs";
import { setImmediate } from "node:timers/promises";
import * as zlib from "node:zlib";
import { projectTree } from "../archive/project-tree.ts";
import type { SelectedEntry } from "../archive/select-files.ts";

/** Looked at in one go: a few milliseconds. */
const atOnce = 512;

export async function anyNewer(
  projectDir: string,
  entries: readonly SelectedEntry[],
  thanMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const tree = projectTree({ fs, zlib }, projectDir);
  try {
    for (const [index, { path }] of entries.entries()) {
      if (index % atOnce === atOnce - 1) {
        await setImmediate();
        signal.throwIfAborted();
      }
      const slash = path.lastIndexOf("/");
      const directory = tree.enter(slash === -1 ? "" : path.slice(0, slash));
      if (fs.lstatSync(`${directory}/${path.slice(slash + 1)}`).mtimeMs > thanMs) return true;
    }
    return false;
  } catch {
    signal.throwIfAborted();
    // Something is not what it was a moment ago.
    return true;
  } finally {
    tree.close();
  }
}

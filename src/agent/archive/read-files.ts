// Reads a batch of small files of the project for an archive, synchronously: few system calls and no promise per file
// make it fast. Links are read as links; large files are only named, for the caller to stream.
// Runs in a worker thread (or, for a handful of files, at home).
// The function closes over nothing: its text runs in worker threads (see crew.ts).
// oxlint-disable unicorn/consistent-function-scoping -- nothing outside the function exists in a worker

import type { MakeProjectTree, NodeModules } from "./project-tree.ts";
import type { SelectedEntry } from "./select-files.ts";

export interface ReadTask {
  readonly projectDir: string;
  readonly entries: readonly SelectedEntry[];
  /** Files above this size are left to the caller. */
  readonly smallBytes: number;
}

export interface ReadEntry {
  readonly kind: SelectedEntry["kind"];
  readonly name: string;
  /** Unix st_mode, type bits included. */
  readonly mode: number;
  readonly mtimeMs: number;
  /** Content of a file, target of a link. Its memory is used again for the next file. */
  readonly data: Uint8Array;
}

export interface ReadBatch {
  /** Indexes of the entries left to the caller. */
  readonly large: readonly number[];
  /** Entries that are no longer there, or are something else now. */
  readonly ignored: readonly { readonly name: string; readonly why: string }[];
  /** Set when a file cannot be read: the archive would lie. */
  readonly failure?: string;
}

export type ReadFiles = (
  node: NodeModules,
  makeTree: MakeProjectTree,
  task: ReadTask,
  take: (entry: ReadEntry) => void,
) => ReadBatch;

export function readFiles(
  { fs, zlib }: NodeModules,
  makeTree: MakeProjectTree,
  task: ReadTask,
  take: (entry: ReadEntry) => void,
): ReadBatch {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const tree = makeTree({ fs, zlib }, task.projectDir);
  const input = Buffer.allocUnsafe(task.smallBytes + 1);
  const large: number[] = [];
  const ignored: { name: string; why: string }[] = [];

  /** False: too large. */
  function readFile(name: string, path: string): boolean {
    const fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const stat = fs.fstatSync(fd);
      if (!stat.isFile()) {
        ignored.push({ name, why: "not a regular file any more" });
        return true;
      }
      if (stat.size > task.smallBytes) return false;
      let size = 0;
      for (let read = -1; read !== 0 && size < input.length; size += read) {
        read = fs.readSync(fd, input, size, input.length - size, size);
      }
      if (size > task.smallBytes) return false;
      const { mode, mtimeMs } = stat;
      take({ kind: "file", name, mode, mtimeMs, data: input.subarray(0, size) });
      return true;
    } finally {
      fs.closeSync(fd);
    }
  }

  function readEntry({ kind, name, path }: SelectedEntry, index: number): void {
    const slash = path.lastIndexOf("/");
    const directory = tree.enter(slash === -1 ? "" : path.slice(0, slash));
    const location = `${directory}/${path.slice(slash + 1)}`;
    if (kind === "file") {
      if (!readFile(name, location)) large.push(index);
      return;
    }
    const stat = fs.lstatSync(location);
    const changed =
      kind === "symlink" ? !stat.isSymbolicLink() : stat.isSymbolicLink() || stat.isFile();
    if (changed) {
      ignored.push({ name, why: `not a ${kind} any more` });
      return;
    }
    const data = kind === "symlink" ? fs.readlinkSync(location, "buffer") : new Uint8Array(0);
    take({ kind, name, mode: stat.mode, mtimeMs: stat.mtimeMs, data });
  }

  try {
    for (const [index, entry] of task.entries.entries()) {
      try {
        readEntry(entry, index);
      } catch (error) {
        const code = error instanceof Error && "code" in error ? String(error.code) : "";
        if (code === "ENOENT") ignored.push({ name: entry.name, why: "no such file any more" });
        else if (["ELINK", "ELOOP", "ENOTDIR", "ENXIO"].includes(code)) {
          ignored.push({ name: entry.name, why: "something else is in its place now" });
        } else {
          const why = error instanceof Error ? (error.message.split(", ")[0] ?? "") : String(error);
          return { large, ignored, failure: `${entry.name} cannot be read: ${why}` };
        }
      }
    }
    return { large, ignored };
  } finally {
    tree.close();
  }
}

// Reads and deflates a batch of small files, synchronously: few system calls and no promise per file make it fast.
// Runs in a worker thread (or, for a handful of files, at home). Large files are only named, for the caller to stream.
// The function closes over nothing: its text runs in worker threads (see crew.ts).
// oxlint-disable unicorn/consistent-function-scoping -- nothing outside the function exists in a worker

import type { MakeProjectTree, NodeModules } from "./project-tree.ts";
import type { SelectedEntry } from "./select-files.ts";
import type { ZipMember, ZipRecords } from "./zip-records.ts";

export interface CompressTask {
  readonly projectDir: string;
  readonly entries: readonly SelectedEntry[];
  /** 0 stores, 1 to 9 deflate. */
  readonly level: number;
  /** Files above this size are left to the caller. */
  readonly smallBytes: number;
}

export interface CompressedBatch {
  /** Local headers and data, ready for the zip. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What is in `bytes`, and where. */
  readonly members: readonly { readonly member: ZipMember; readonly offset: number }[];
  /** Indexes of the entries left to the caller. */
  readonly large: readonly number[];
  /** Entries that are no longer there, or are something else now. */
  readonly ignored: readonly { readonly name: string; readonly why: string }[];
  /** Set when a file cannot be read: the archive would lie. */
  readonly failure?: string;
}

export function compressFiles(
  node: NodeModules,
  makeTree: MakeProjectTree,
  records: ZipRecords,
  task: CompressTask,
): CompressedBatch {
  const { fs, zlib } = node;
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  /** Below this, deflate costs more than it saves. */
  const worthDeflating = 128;
  const tree = makeTree(node, task.projectDir);
  const input = Buffer.allocUnsafe(task.smallBytes + 1);
  const chunks: Uint8Array[] = [];
  const members: { member: ZipMember; offset: number }[] = [];
  const large: number[] = [];
  const ignored: { name: string; why: string }[] = [];
  let length = 0;

  function add(
    name: string,
    stat: { readonly mode: number; readonly mtimeMs: number },
    data: Uint8Array,
    deflate: boolean,
  ): void {
    // A window no larger than the file packs as well, and zlib has less to set up.
    const window = data.length <= 4096 ? { windowBits: 12, memLevel: 6 } : {};
    const packed = deflate
      ? zlib.deflateRawSync(data, { level: task.level, chunkSize: data.length, ...window })
      : data;
    const smaller = packed.length < data.length;
    const body = smaller ? packed : new Uint8Array(data);
    const member: ZipMember = {
      name,
      mode: stat.mode,
      mtimeSeconds: Math.floor(stat.mtimeMs / 1000),
      method: smaller ? 8 : 0,
      crc: zlib.crc32(data),
      size: data.length,
      compressedSize: body.length,
    };
    const header = records.local(member, false);
    members.push({ member, offset: length });
    chunks.push(header, body);
    length += header.length + body.length;
  }

  /** False: too large. */
  function addFile(name: string, path: string): boolean {
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
      add(name, stat, input.subarray(0, size), task.level > 0 && size > worthDeflating);
      return true;
    } finally {
      fs.closeSync(fd);
    }
  }

  function addEntry(entry: SelectedEntry, index: number): void {
    const slash = entry.path.lastIndexOf("/");
    const directory = tree.enter(slash === -1 ? "" : entry.path.slice(0, slash));
    const path = `${directory}/${entry.path.slice(slash + 1)}`;
    if (entry.kind === "file") {
      if (!addFile(entry.name, path)) large.push(index);
      return;
    }
    const stat = fs.lstatSync(path);
    const changed =
      entry.kind === "symlink" ? !stat.isSymbolicLink() : stat.isSymbolicLink() || stat.isFile();
    if (changed) ignored.push({ name: entry.name, why: `not a ${entry.kind} any more` });
    else if (entry.kind === "symlink")
      add(entry.name, stat, fs.readlinkSync(path, "buffer"), false);
    else add(`${entry.name}/`, stat, new Uint8Array(0), false);
  }

  let failure: string | undefined;
  try {
    for (const [index, entry] of task.entries.entries()) {
      try {
        addEntry(entry, index);
      } catch (error) {
        const code = error instanceof Error && "code" in error ? String(error.code) : "";
        if (code === "ENOENT") ignored.push({ name: entry.name, why: "no such file any more" });
        else if (["ELINK", "ELOOP", "ENOTDIR", "ENXIO"].includes(code)) {
          ignored.push({ name: entry.name, why: "something else is in its place now" });
        } else {
          const why = error instanceof Error ? (error.message.split(", ")[0] ?? "") : String(error);
          failure = `${entry.name} cannot be read: ${why}`;
          break;
        }
      }
    }
  } finally {
    tree.close();
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return { bytes, members, large, ignored, ...(failure === undefined ? {} : { failure }) };
}

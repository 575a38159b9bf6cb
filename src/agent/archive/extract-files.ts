// Writes a batch of small members of an archive into the project, synchronously; no write passes a link that leads out.
// Runs in a worker thread (or, for a handful of members, at home). Links and directories' modes are for the very end.
// The function closes over nothing: its text runs in worker threads (see crew.ts).
// oxlint-disable unicorn/consistent-function-scoping -- nothing outside the function exists in a worker

import type { MakeProjectTree, NodeModules } from "./project-tree.ts";

export interface PackedFile {
  /** Relative and plain, with slashes between the names only. */
  readonly name: string;
  /** Permission bits. */
  readonly mode: number;
  readonly mtimeSeconds: number;
  readonly method: number;
  readonly crc: number;
  readonly size: number;
  readonly compressedSize: number;
  /** Of the local header. */
  readonly offset: number;
}

export interface ExtractTask {
  readonly projectDir: string;
  /** The open zip: file descriptors belong to the process, not to a thread. */
  readonly archive: number;
  /** Where it is given, contents are plain and lie in it at their offsets: none is read from the zip. */
  readonly bytes?: Uint8Array;
  readonly files: readonly PackedFile[];
  readonly links: readonly PackedFile[];
  readonly directories: readonly PackedFile[];
}

export interface Extraction {
  readonly warnings: readonly string[];
  /** Set when a file could not be written, or the archive is damaged. */
  readonly failure?: string;
}

export function extractFiles(
  node: NodeModules,
  makeTree: MakeProjectTree,
  task: ExtractTask,
): Extraction {
  const { fs, zlib } = node;
  const readAhead = 256 * 1024;
  const tree = makeTree(node, task.projectDir);
  const warnings: string[] = [];
  let read = Buffer.alloc(0);
  let readFrom = 0;
  let doing = "";

  function damaged(): Error {
    return new Error("it is damaged in the archive");
  }

  /** True until the next call. */
  function bytesAt(offset: number, length: number): Buffer {
    if (offset < readFrom || offset + length > readFrom + read.length) {
      const into = Buffer.allocUnsafeSlow(Math.max(length, readAhead));
      let got = 0;
      for (let n = -1; n !== 0 && got < into.length; got += n) {
        n = fs.readSync(task.archive, into, got, into.length - got, offset + got);
      }
      if (got < length) throw damaged();
      read = into.subarray(0, got);
      readFrom = offset;
    }
    return read.subarray(offset - readFrom, offset - readFrom + length);
  }

  function contentOf(file: PackedFile): Uint8Array {
    if (task.bytes !== undefined) {
      return task.bytes.subarray(file.offset, file.offset + file.size);
    }
    const header = bytesAt(file.offset, 30);
    if (header.readUInt32LE(0) !== 0x0403_4b50) throw damaged();
    const start = file.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
    const packed = bytesAt(start, file.compressedSize);
    let content = packed;
    if (file.method === 8) {
      try {
        const size = Math.max(64, file.size);
        content = zlib.inflateRawSync(packed, { chunkSize: size, maxOutputLength: size });
      } catch {
        throw damaged();
      }
    }
    if (content.length !== file.size || zlib.crc32(content) !== file.crc) throw damaged();
    return content;
  }

  function writeFile(file: PackedFile): void {
    const content = contentOf(file);
    const fd = tree.createFile(file.name);
    try {
      for (let done = 0; done < content.length;) done += fs.writeSync(fd, content, done);
      fs.fchmodSync(fd, file.mode);
      fs.futimesSync(fd, file.mtimeSeconds, file.mtimeSeconds);
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Whether a link in `directory` (a way without links) to `target` stays in the project. */
  function staysInside(directory: string, target: string): boolean {
    if (target.startsWith("/")) {
      const inside = target === task.projectDir || target.startsWith(`${task.projectDir}/`);
      return inside && !target.split("/").includes("..");
    }
    // Only leading ".." can be judged: behind a name that is itself a link, ".." is somewhere else.
    const names = target.split("/");
    const ups = names.findIndex((name) => name !== "..");
    const depth = directory === "" ? 0 : directory.split("/").length;
    if (ups === -1) return names.length <= depth;
    return target !== "" && ups <= depth && !names.slice(ups).includes("..");
  }

  function makeLink(link: PackedFile): void {
    const target = Buffer.from(contentOf(link)).toString();
    const slash = link.name.lastIndexOf("/");
    const parent = tree.resolve(slash === -1 ? "" : link.name.slice(0, slash), true);
    if (!staysInside(parent, target)) {
      warnings.push(`${link.name} -> ${target}: not made, the link leads out of the project`);
      return;
    }
    try {
      const path = tree.clear(link.name);
      fs.symlinkSync(target, path);
      fs.lutimesSync(path, link.mtimeSeconds, link.mtimeSeconds);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EISDIR")) throw error;
      warnings.push(`${link.name} -> ${target}: not made, a directory is in its place`);
    }
  }

  function each<Item extends PackedFile>(items: readonly Item[], act: (item: Item) => void): void {
    for (const item of items) {
      doing = item.name;
      act(item);
    }
  }

  try {
    each(task.files, writeFile);
    each(task.links, makeLink);
    each(task.directories, ({ name }) => tree.resolve(name, true));
    // From the deepest up: a directory that may not be written to is closed when all below it is done.
    const deepestFirst = task.directories.toSorted((a, b) => (a.name < b.name ? 1 : -1));
    each(deepestFirst, (directory) => {
      const path = tree.enter(tree.resolve(directory.name, false));
      fs.chmodSync(path, directory.mode);
      fs.utimesSync(path, directory.mtimeSeconds, directory.mtimeSeconds);
    });
    return { warnings };
  } catch (error) {
    const why = error instanceof Error ? (error.message.split(", ")[0] ?? "") : String(error);
    return { warnings, failure: `${doing}: ${why}` };
  } finally {
    tree.close();
  }
}

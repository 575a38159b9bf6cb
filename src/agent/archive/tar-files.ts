// Packs a batch of small files for a tar. Runs in a worker thread (or, for a handful of files, at home). Large files
// are only named, for the caller to stream.
// The function closes over nothing: its text runs in worker threads (see crew.ts).

import type { MakeProjectTree, NodeModules } from "./project-tree.ts";
import type { ReadBatch, ReadFiles, ReadTask } from "./read-files.ts";
import type { TarRecords } from "./tar-records.ts";

export interface TarBatch extends ReadBatch {
  /** Headers and contents, whole blocks. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export function tarFiles(
  node: NodeModules,
  makeTree: MakeProjectTree,
  read: ReadFiles,
  records: TarRecords,
  task: ReadTask,
): TarBatch {
  let bytes = new Uint8Array(256 * 1024);
  let length = 0;
  const batch = read(node, makeTree, task, ({ kind, name, mode, mtimeMs, data }) => {
    const isFile = kind === "file";
    const header = records.header({
      kind,
      name,
      mode,
      mtimeSeconds: Math.floor(mtimeMs / 1000),
      size: isFile ? data.length : 0,
      target: isFile ? new Uint8Array(0) : data,
    });
    const content = isFile ? data.length + records.padding(data.length) : 0;
    const end = length + header.length + content;
    if (end > bytes.length) {
      const larger = new Uint8Array(Math.max(end, bytes.length * 2));
      larger.set(bytes.subarray(0, length));
      bytes = larger;
    }
    bytes.set(header, length);
    if (isFile) bytes.set(data, length + header.length);
    length = end;
  });
  return { ...batch, bytes: bytes.subarray(0, length) };
}

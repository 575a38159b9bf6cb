// Packs a batch of small files for a zip, each deflated on its own. Runs in a worker thread (or, for a handful of
// files, at home). Large files are only named, for the caller to stream.
// The function closes over nothing: its text runs in worker threads (see crew.ts).
// oxlint-disable unicorn/consistent-function-scoping -- nothing outside the function exists in a worker

import type { MakeProjectTree, NodeModules } from "./project-tree.ts";
import type { ReadBatch, ReadEntry, ReadFiles, ReadTask } from "./read-files.ts";
import type { ZipMember, ZipRecords } from "./zip-records.ts";

export interface CompressTask extends ReadTask {
  /** 0 stores, 1 to 9 deflate. */
  readonly level: number;
}

export interface CompressedBatch extends ReadBatch {
  /** Local headers and data, ready for the zip. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What is in `bytes`, and where. */
  readonly members: readonly { readonly member: ZipMember; readonly offset: number }[];
}

export function compressFiles(
  node: NodeModules,
  makeTree: MakeProjectTree,
  read: ReadFiles,
  records: ZipRecords,
  task: CompressTask,
): CompressedBatch {
  const { zlib } = node;
  /** Below this, deflate costs more than it saves. */
  const worthDeflating = 128;
  const chunks: Uint8Array[] = [];
  const members: { member: ZipMember; offset: number }[] = [];
  let length = 0;

  function add({ kind, name, mode, mtimeMs, data }: ReadEntry): void {
    const deflate = kind === "file" && task.level > 0 && data.length > worthDeflating;
    // A window no larger than the file packs as well, and zlib has less to set up.
    const window = data.length <= 4096 ? { windowBits: 12, memLevel: 6 } : {};
    const packed = deflate
      ? zlib.deflateRawSync(data, { level: task.level, chunkSize: data.length, ...window })
      : data;
    const smaller = packed.length < data.length;
    const body = smaller ? packed : new Uint8Array(data);
    const member: ZipMember = {
      name: kind === "directory" ? `${name}/` : name,
      mode,
      mtimeSeconds: Math.floor(mtimeMs / 1000),
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

  const batch = read(node, makeTree, task, add);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return { ...batch, bytes, members };
}

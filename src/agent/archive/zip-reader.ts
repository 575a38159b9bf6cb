// Unpacks a zip file of our scratch into the project: small members in batches on worker threads, large ones as streams;
// links come last, and directories get their modes when all is in them.

import * as fs from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { pipeline, Readable } from "node:stream";
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import type { JobLog } from "../../core/job-log.ts";
import { batchFiles, fewFiles, smallBytes, tinyBytes } from "./batch-limits.ts";
import { startCrew } from "./crew.ts";
import type { Crew } from "./crew.ts";
import { extractFiles } from "./extract-files.ts";
import type { Extraction, ExtractTask, PackedFile } from "./extract-files.ts";
import { ignoredFiles } from "./ignored-files.ts";
import { inOrder } from "./in-order.ts";
import { errorText } from "./open-file.ts";
import { projectTree } from "./project-tree.ts";
import type { ProjectTree } from "./project-tree.ts";
import { readDirectory, unreadable } from "./zip-directory.ts";
import type { ZipDirectory } from "./zip-directory.ts";

export interface UnzipOrder {
  readonly file: string;
  readonly projectDir: string;
  readonly log: JobLog;
  readonly signal: AbortSignal;
}

const streamBytes = 256 * 1024;

const write = promisify(fs.write);

interface Left {
  readonly large: PackedFile[];
  readonly links: PackedFile[];
  readonly directories: PackedFile[];
}

export async function extractZip(order: UnzipOrder): Promise<void> {
  const archive = await open(order.file, "r");
  let crew: Crew | undefined;
  try {
    const directory = await readDirectory(archive);
    if (directory.count > fewFiles) crew = startCrew();
    const extract = async (task: ExtractTask): Promise<Extraction> =>
      crew === undefined
        ? extractFiles({ fs, zlib }, projectTree, task)
        : await crew.work("extract", task);
    const left: Left = { large: [], links: [], directories: [] };
    const limit = crew === undefined ? tinyBytes : smallBytes;
    const tasks = batches(order, archive, directory, limit, left);
    for await (const result of inOrder(tasks, crew?.width ?? 1, extract)) check(order, result);
    await extractLarge(order, archive, left.large);
    const { links, directories } = left;
    const last = { projectDir: order.projectDir, archive: archive.fd, files: [] };
    check(order, await extract({ ...last, links, directories }));
  } finally {
    await crew?.close();
    await archive.close();
  }
}

function check(order: UnzipOrder, result: Extraction): void {
  for (const warning of result.warnings) order.log.warning(warning);
  if (result.failure !== undefined) throw unreadable(result.failure);
  order.signal.throwIfAborted();
}

/** What is small, in batches; the rest is put into `left`. */
async function* batches(
  order: UnzipOrder,
  archive: FileHandle,
  directory: ZipDirectory,
  limit: number,
  left: Left,
): AsyncGenerator<ExtractTask> {
  const ignored = ignoredFiles(order.log);
  const common = { projectDir: order.projectDir, archive: archive.fd, links: [], directories: [] };
  let files: PackedFile[] = [];
  let git = false;
  for await (const { kind, packed } of directory.items) {
    git ||= packed.name === ".git" || packed.name.startsWith(".git/");
    if (kind === "other") ignored.add(packed.name, "a FIFO, a socket or a device");
    else if (packed.name === "") continue;
    else if (kind === "symlink") left.links.push(packed);
    else if (kind === "directory") left.directories.push(packed);
    else if (Math.max(packed.size, packed.compressedSize) > limit) left.large.push(packed);
    else if (files.push(packed) === batchFiles) {
      yield { ...common, files };
      files = [];
    }
  }
  if (files.length > 0) yield { ...common, files };
  ignored.finish();
  if (git) {
    order.log.warning("Part of .git directory is on the list of files to extract");
    order.log.warning("This may introduce unexpected problems");
  }
}

async function extractLarge(
  order: UnzipOrder,
  archive: FileHandle,
  files: readonly PackedFile[],
): Promise<void> {
  if (files.length === 0) return;
  const tree = projectTree({ fs, zlib }, order.projectDir);
  try {
    const results = inOrder(files, availableParallelism(), async (file) => {
      try {
        await extractStream(order, archive, tree, file);
      } catch (error) {
        order.signal.throwIfAborted();
        throw unreadable(`${file.name}: ${errorText(error)}`);
      }
    });
    for await (const _ of results) order.signal.throwIfAborted();
  } finally {
    tree.close();
  }
}

async function extractStream(
  order: UnzipOrder,
  archive: FileHandle,
  tree: ProjectTree,
  file: PackedFile,
): Promise<void> {
  const fd = tree.createFile(file.name);
  let size = 0;
  let crc = 0;
  try {
    for await (const chunk of contentOf(archive, file)) {
      order.signal.throwIfAborted();
      size += chunk.length;
      crc = zlib.crc32(chunk, crc);
      if (size > file.size) break;
      for (let done = 0; done < chunk.length;) done += (await write(fd, chunk, done)).bytesWritten;
    }
    if (size !== file.size || crc !== file.crc) throw new Error("it is damaged in the archive");
    fs.fchmodSync(fd, file.mode);
    fs.futimesSync(fd, file.mtimeSeconds, file.mtimeSeconds);
  } finally {
    fs.closeSync(fd);
  }
}

function contentOf(archive: FileHandle, file: PackedFile): AsyncIterable<Buffer> {
  const packed = Readable.from(packedBytes(archive, file), { objectMode: false });
  if (file.method === 0) return packed;
  // An error of either comes out of the second, which is the one that is read.
  return pipeline(packed, zlib.createInflateRaw({ chunkSize: streamBytes }), () => undefined);
}

async function* packedBytes(archive: FileHandle, file: PackedFile): AsyncGenerator<Buffer> {
  const header = Buffer.alloc(30);
  await archive.read(header, 0, 30, file.offset);
  if (header.readUInt32LE(0) !== 0x0403_4b50) throw new Error("it is damaged in the archive");
  let position = file.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  for (let left = file.compressedSize; left > 0;) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(left, streamBytes));
    const { bytesRead } = await archive.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    left -= bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

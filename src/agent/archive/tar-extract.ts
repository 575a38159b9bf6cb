// Unpacks a zstd-packed tar of our scratch into the project as it streams by: small files in batches on worker threads,
// large ones as streams; links come last, and directories get their modes when all is in them.

import * as fs from "node:fs";
import { open } from "node:fs/promises";
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { RunnerError } from "../../core/errors.ts";
import { smallBytes } from "./batch-limits.ts";
import { startCrew } from "./crew.ts";
import { extractFiles } from "./extract-files.ts";
import type { Extraction, ExtractTask, PackedFile } from "./extract-files.ts";
import { ignoredFiles } from "./ignored-files.ts";
import { inOrder } from "./in-order.ts";
import { errorText } from "./open-file.ts";
import { projectTree } from "./project-tree.ts";
import type { ProjectTree } from "./project-tree.ts";
import { TarReader } from "./tar-reader.ts";
import type { TarItem } from "./tar-reader.ts";
import { unreadable } from "./zip-directory.ts";
import type { UnzipOrder } from "./zip-reader.ts";
import type { Zstd } from "./zstd.ts";

/** Smaller archives are not worth starting threads for. */
const crewBytes = 64 * 1024;
const batchBytes = 1024 * 1024;
const batchMembers = 512;
const longestLink = 4096;

const write = promisify(fs.write);

interface Left {
  readonly links: { readonly packed: PackedFile; readonly target: Buffer }[];
  readonly directories: PackedFile[];
}

export async function extractTarZstd(order: UnzipOrder, zstd: Zstd): Promise<void> {
  const archive = await open(order.file, "r");
  try {
    const isLarge = (await archive.stat()).size > crewBytes;
    await extractAll(order, new TarReader(zstd.unpack(archive)), isLarge);
  } finally {
    await archive.close();
  }
}

async function extractAll(order: UnzipOrder, reader: TarReader, isLarge: boolean): Promise<void> {
  const tree = projectTree({ fs, zlib }, order.projectDir);
  const crew = isLarge ? startCrew() : undefined;
  const extract = async (task: ExtractTask): Promise<Extraction> =>
    crew === undefined
      ? extractFiles({ fs, zlib }, projectTree, task)
      : await crew.work("extract", task);
  try {
    const left: Left = { links: [], directories: [] };
    const tasks = batches(order, reader, tree, left);
    for await (const result of inOrder(tasks, crew?.width ?? 1, extract)) check(order, result);
    check(order, await extract(lastTask(order, left)));
  } catch (error) {
    order.signal.throwIfAborted();
    throw error instanceof RunnerError ? error : unreadable(error);
  } finally {
    tree.close();
    await reader.close();
    await crew?.close();
  }
}

function check(order: UnzipOrder, result: Extraction): void {
  for (const warning of result.warnings) order.log.warning(warning);
  if (result.failure !== undefined) throw unreadable(result.failure);
  order.signal.throwIfAborted();
}

/** Small files, in batches; large ones are written on the way, the rest is put into `left`. */
async function* batches(
  order: UnzipOrder,
  reader: TarReader,
  tree: ProjectTree,
  left: Left,
): AsyncGenerator<ExtractTask> {
  const ignored = ignoredFiles(order.log);
  let files: PackedFile[] = [];
  let bytes = Buffer.allocUnsafeSlow(batchBytes);
  let used = 0;
  let git = false;
  for (let item = await reader.next(); item !== undefined; item = await reader.next()) {
    order.signal.throwIfAborted();
    git ||= item.name === ".git" || item.name.startsWith(".git/");
    if (item.kind === "other") ignored.add(item.name, "a hard link, a FIFO or a device");
    else if (item.name === "") continue;
    else if (item.kind === "directory") left.directories.push(packedFile(item, 0));
    else if (item.kind === "symlink") left.links.push(linkOf(item));
    else if (item.size > smallBytes) await extractStream(order, reader, tree, item);
    else {
      if (used + item.size > batchBytes || files.length === batchMembers) {
        yield task(order, files, bytes);
        files = [];
        bytes = Buffer.allocUnsafeSlow(batchBytes);
        used = 0;
      }
      await reader.readInto(bytes, used);
      files.push(packedFile(item, used));
      used += item.size;
    }
  }
  if (files.length > 0) yield task(order, files, bytes);
  ignored.finish();
  if (git) {
    order.log.warning("Part of .git directory is on the list of files to extract");
    order.log.warning("This may introduce unexpected problems");
  }
}

function linkOf(item: TarItem): Left["links"][number] {
  const { target } = item;
  if (target.length > longestLink) throw new Error(`the link ${item.name} is too long`);
  return { packed: packedFile(item, 0), target };
}

function task(
  order: UnzipOrder,
  files: readonly PackedFile[],
  bytes: Uint8Array,
): ExtractTask & { readonly bytes: Uint8Array } {
  const { projectDir } = order;
  return { projectDir, archive: -1, bytes, files, links: [], directories: [] };
}

function lastTask(order: UnzipOrder, left: Left): ExtractTask {
  const bytes = Buffer.concat(left.links.map(({ target }) => target));
  let offset = 0;
  const links = left.links.map(({ packed, target }) => {
    const link = { ...packed, size: target.length, offset };
    offset += target.length;
    return link;
  });
  return { ...task(order, [], new Uint8Array(bytes)), links, directories: left.directories };
}

function packedFile(item: TarItem, offset: number): PackedFile {
  const { name, mode, mtimeSeconds, size } = item;
  return { name, mode, mtimeSeconds, size, offset, method: 0, crc: 0, compressedSize: size };
}

async function extractStream(
  order: UnzipOrder,
  reader: TarReader,
  tree: ProjectTree,
  item: TarItem,
): Promise<void> {
  try {
    const fd = tree.createFile(item.name);
    try {
      for await (const chunk of reader.content()) {
        order.signal.throwIfAborted();
        for (let done = 0; done < chunk.length;) {
          done += (await write(fd, chunk, done)).bytesWritten;
        }
      }
      fs.fchmodSync(fd, item.mode);
      fs.futimesSync(fd, item.mtimeSeconds, item.mtimeSeconds);
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    order.signal.throwIfAborted();
    throw unreadable(`${item.name}: ${errorText(error)}`);
  }
}

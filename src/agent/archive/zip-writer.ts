// Writes a zip file to the agent's scratch: small files in batches on worker threads, large ones as a stream of blocks.
// Nothing is held whole but the list of members. A file that changes meanwhile is archived as it was when read.

import * as fs from "node:fs";
import { open } from "node:fs/promises";
import * as zlib from "node:zlib";
import { RunnerError } from "../../core/errors.ts";
import type { JobLog } from "../../core/job-log.ts";
import { batchFiles, fewFiles, smallBytes, tinyBytes } from "./batch-limits.ts";
import { compressFiles } from "./compress-files.ts";
import type { CompressedBatch, CompressTask } from "./compress-files.ts";
import { startCrew } from "./crew.ts";
import type { Crew } from "./crew.ts";
import { blocksAtOnce, deflateBlock, readBlocks } from "./deflate-blocks.ts";
import type { Block } from "./deflate-blocks.ts";
import { ignoredFiles } from "./ignored-files.ts";
import type { IgnoredFiles } from "./ignored-files.ts";
import { inOrder } from "./in-order.ts";
import { openProjectFile } from "./open-file.ts";
import { projectTree } from "./project-tree.ts";
import { readFiles } from "./read-files.ts";
import type { SelectedEntry } from "./select-files.ts";
import { ZipFile } from "./zip-file.ts";
import type { MemberEnd } from "./zip-file.ts";
import { zipRecords } from "./zip-records.ts";

export interface ZipOrder {
  readonly projectDir: string;
  readonly entries: readonly SelectedEntry[];
  /** Files that exist only in the archive. */
  readonly extras: readonly {
    readonly name: string;
    readonly content: Uint8Array;
    readonly mtimeSeconds: number;
  }[];
  /** 0 stores, 1 to 9 deflate. */
  readonly level: number;
  /** The zip to make; must not exist. */
  readonly file: string;
  readonly log: JobLog;
  readonly signal: AbortSignal;
}

/** The zip's size in bytes. */
export async function writeZip(order: ZipOrder): Promise<number> {
  const output = await open(order.file, "wx", 0o600);
  try {
    const zip = new ZipFile(output);
    const ignored = ignoredFiles(order.log);
    const large = await addSmall(order, zip, ignored);
    await addLarge(order, zip, large, ignored);
    ignored.finish();
    for (const { name, content, mtimeSeconds } of order.extras) {
      const size = content.length;
      const known = { mode: 0o100644, mtimeSeconds, crc: zlib.crc32(content), size };
      const end = await zip.begin({ name, method: 0, compressedSize: size, ...known });
      await zip.append(content);
      await end(known);
    }
    return await zip.finish();
  } finally {
    await output.close();
  }
}

/** What is left: the files too large for a batch. */
async function addSmall(
  order: ZipOrder,
  zip: ZipFile,
  ignored: IgnoredFiles,
): Promise<SelectedEntry[]> {
  const crew = order.entries.length > fewFiles ? startCrew() : undefined;
  const large: SelectedEntry[] = [];
  try {
    const tasks = batches(order, crew === undefined ? tinyBytes : smallBytes);
    const results = inOrder(tasks, crew?.width ?? 1, async (task) => ({
      task,
      batch: await compress(task, crew),
    }));
    for await (const { task, batch } of results) {
      order.signal.throwIfAborted();
      for (const { name, why } of batch.ignored) ignored.add(name, why);
      if (batch.failure !== undefined) {
        throw new RunnerError("script_failure", batch.failure, { exitCode: 1 });
      }
      await zip.appendMembers(batch.bytes, batch.members);
      large.push(...task.entries.filter((_, index) => batch.large.includes(index)));
    }
    return large;
  } finally {
    await crew?.close();
  }
}

async function compress(task: CompressTask, crew: Crew | undefined): Promise<CompressedBatch> {
  if (crew !== undefined) return await crew.work("compress", task);
  return compressFiles({ fs, zlib }, projectTree, readFiles, zipRecords(), task);
}

function* batches(order: ZipOrder, limit: number): Generator<CompressTask> {
  const { projectDir, entries, level } = order;
  for (let i = 0; i < entries.length; i += batchFiles) {
    yield { projectDir, level, smallBytes: limit, entries: entries.slice(i, i + batchFiles) };
  }
}

interface Piece {
  readonly name: string;
  readonly stat: fs.Stats;
  /** Byte position of the block in the file. */
  readonly position: number;
  readonly block: Block;
}

async function addLarge(
  order: ZipOrder,
  zip: ZipFile,
  entries: readonly SelectedEntry[],
  ignored: IgnoredFiles,
): Promise<void> {
  // The blocks of all files go through one pipe, so that no thread waits for a file to be finished.
  const pieces = inOrder(piecesOf(order, entries, ignored), blocksAtOnce, async (piece) => ({
    ...piece,
    packed: await deflateBlock(piece.block, order.level),
  }));
  let end: (end: MemberEnd) => Promise<void> = () => Promise.resolve();
  for await (const { name, stat, position, block, packed } of pieces) {
    order.signal.throwIfAborted();
    if (position === 0) {
      end = await zip.begin({
        name,
        mode: stat.mode,
        mtimeSeconds: Math.floor(stat.mtimeMs / 1000),
        method: order.level === 0 ? 0 : 8,
        crc: 0,
        size: stat.size,
        compressedSize: 0,
      });
    }
    await zip.append(packed);
    if (!block.last) continue;
    const size = position + block.data.length;
    await end({ size, crc: block.crc });
    if (size < stat.size) {
      order.log.warning(`${name} became shorter while it was being archived (${size} bytes kept)`);
    }
  }
}

async function* piecesOf(
  order: ZipOrder,
  entries: readonly SelectedEntry[],
  ignored: IgnoredFiles,
): AsyncGenerator<Piece> {
  if (entries.length === 0) return;
  const tree = projectTree({ fs, zlib }, order.projectDir);
  try {
    for (const { name, path } of entries) {
      const opened = await openProjectFile(tree, path);
      if (opened.kind === "gone") {
        ignored.add(name, opened.why);
        continue;
      }
      const { handle, stat } = opened;
      try {
        let position = 0;
        for await (const block of readBlocks(handle, stat.size)) {
          yield { name, stat, position, block };
          position += block.data.length;
        }
      } finally {
        await handle.close();
      }
    }
  } finally {
    tree.close();
  }
}

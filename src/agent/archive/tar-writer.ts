// Writes a zstd-packed tar to the agent's scratch: small files in batches on worker threads, then the large ones as
// streams. A file that changes meanwhile is archived as it was when read.

import * as fs from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import * as zlib from "node:zlib";
import { RunnerError } from "../../core/errors.ts";
import type { JobLog } from "../../core/job-log.ts";
import { batchFiles, fewFiles, smallBytes, tinyBytes } from "./batch-limits.ts";
import { startCrew } from "./crew.ts";
import { ignoredFiles } from "./ignored-files.ts";
import type { IgnoredFiles } from "./ignored-files.ts";
import { inOrder } from "./in-order.ts";
import { openProjectFile } from "./open-file.ts";
import { projectTree } from "./project-tree.ts";
import type { ReadTask } from "./read-files.ts";
import { readFiles } from "./read-files.ts";
import type { SelectedEntry } from "./select-files.ts";
import { tarFiles } from "./tar-files.ts";
import { tarRecords } from "./tar-records.ts";
import type { ByteSink, Zstd } from "./zstd.ts";

export interface TarOrder {
  readonly projectDir: string;
  readonly entries: readonly SelectedEntry[];
  /** zstd's own scale. */
  readonly level: number;
  readonly zstd: Zstd;
  /** The archive to make; must not exist. */
  readonly file: string;
  readonly log: JobLog;
  readonly signal: AbortSignal;
}

const streamBytes = 1024 * 1024;
const records = tarRecords();

/** The archive's size in bytes. */
export async function writeTarZstd(order: TarOrder): Promise<number> {
  const output = await open(order.file, "wx", 0o600);
  try {
    const sink = order.zstd.pack(output, order.level);
    try {
      const ignored = ignoredFiles(order.log);
      await addLarge(order, sink, await addSmall(order, sink, ignored), ignored);
      ignored.finish();
      await sink.write(records.end());
      await sink.finish();
    } finally {
      sink.abandon();
    }
    return (await output.stat()).size;
  } finally {
    await output.close();
  }
}

/** What is left: the files too large for a batch. */
async function addSmall(
  order: TarOrder,
  sink: ByteSink,
  ignored: IgnoredFiles,
): Promise<SelectedEntry[]> {
  const crew = order.entries.length > fewFiles ? startCrew() : undefined;
  const large: SelectedEntry[] = [];
  try {
    const tasks = batches(order, crew === undefined ? tinyBytes : smallBytes);
    const results = inOrder(tasks, crew?.width ?? 1, async (task) => ({
      task,
      batch:
        crew === undefined
          ? tarFiles({ fs, zlib }, projectTree, readFiles, records, task)
          : await crew.work("tar", task),
    }));
    for await (const { task, batch } of results) {
      order.signal.throwIfAborted();
      for (const { name, why } of batch.ignored) ignored.add(name, why);
      if (batch.failure !== undefined) {
        throw new RunnerError("script_failure", batch.failure, { exitCode: 1 });
      }
      await sink.write(batch.bytes);
      large.push(...task.entries.filter((_, index) => batch.large.includes(index)));
    }
    return large;
  } finally {
    await crew?.close();
  }
}

function* batches(order: TarOrder, limit: number): Generator<ReadTask> {
  const { projectDir, entries } = order;
  for (let i = 0; i < entries.length; i += batchFiles) {
    yield { projectDir, smallBytes: limit, entries: entries.slice(i, i + batchFiles) };
  }
}

async function addLarge(
  order: TarOrder,
  sink: ByteSink,
  entries: readonly SelectedEntry[],
  ignored: IgnoredFiles,
): Promise<void> {
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
        const mtimeSeconds = Math.floor(stat.mtimeMs / 1000);
        const { mode, size } = stat;
        const target = new Uint8Array(0);
        await sink.write(records.header({ kind: "file", name, mode, mtimeSeconds, size, target }));
        await addContent(order, sink, handle, name, size);
      } finally {
        await handle.close();
      }
    }
  } finally {
    tree.close();
  }
}

/** Exactly `size` bytes, as the header has promised, and those up to the next block. */
async function addContent(
  order: TarOrder,
  sink: ByteSink,
  handle: FileHandle,
  name: string,
  size: number,
): Promise<void> {
  let position = 0;
  while (position < size) {
    order.signal.throwIfAborted();
    const buffer = Buffer.allocUnsafeSlow(Math.min(streamBytes, size - position));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) break;
    await sink.write(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
  if (position < size) {
    order.log.warning(`${name} became shorter while it was being archived (zeros at its end)`);
  }
  for (let left = size - position + records.padding(size); left > 0; left -= streamBytes) {
    await sink.write(Buffer.alloc(Math.min(left, streamBytes)));
  }
}

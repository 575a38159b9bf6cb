// A gzip report: one gzip member per file, one behind the other, in the order of the names. GitLab reads the file's
// name and path from the members' headers, which node:zlib cannot set.

import * as fs from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { posix } from "node:path";
import * as zlib from "node:zlib";
import type { JobLog } from "../../core/job-log.ts";
import { blocksAtOnce, deflateBlock, readBlocks } from "./deflate-blocks.ts";
import { ignoredFiles } from "./ignored-files.ts";
import { inOrder } from "./in-order.ts";
import { openProjectFile } from "./open-file.ts";
import { projectTree } from "./project-tree.ts";
import type { SelectedEntry } from "./select-files.ts";

export interface GzipOrder {
  readonly projectDir: string;
  readonly entries: readonly SelectedEntry[];
  /** The report to make; must not exist. */
  readonly file: string;
  readonly log: JobLog;
  readonly signal: AbortSignal;
}

export interface GzipReport {
  readonly sizeBytes: number;
  readonly memberCount: number;
}

const level = 6;

export async function writeGzip(order: GzipOrder): Promise<GzipReport> {
  const output = await open(order.file, "wx", 0o600);
  const tree = projectTree({ fs, zlib }, order.projectDir);
  const ignored = ignoredFiles(order.log);
  let memberCount = 0;
  try {
    for (const { name, path, kind } of order.entries) {
      if (kind === "symlink") ignored.add(name, "a report is made of files, not of links");
      if (kind !== "file") continue;
      const opened = await openProjectFile(tree, path);
      if (opened.kind === "gone") ignored.add(name, opened.why);
      else {
        await output.appendFile(memberHeader(name, opened.stat.mtimeMs));
        await appendContent(output, opened, order.signal);
        memberCount++;
      }
    }
    ignored.finish();
    return { sizeBytes: (await output.stat()).size, memberCount };
  } finally {
    tree.close();
    await output.close();
  }
}

async function appendContent(
  output: FileHandle,
  { handle, stat }: { readonly handle: FileHandle; readonly stat: fs.Stats },
  signal: AbortSignal,
): Promise<void> {
  try {
    let size = 0;
    let crc = 0;
    const blocks = readBlocks(handle, stat.size);
    const results = inOrder(blocks, blocksAtOnce, async (block) => ({
      block,
      packed: await deflateBlock(block, level),
    }));
    for await (const { block, packed } of results) {
      signal.throwIfAborted();
      await output.appendFile(packed);
      size += block.data.length;
      crc = block.crc;
    }
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(crc, 0);
    trailer.writeUInt32LE(size % 0x1_0000_0000, 4);
    await output.appendFile(trailer);
  } finally {
    await handle.close();
  }
}

function memberHeader(name: string, mtimeMs: number): Buffer {
  const header = Buffer.from([0x1f, 0x8b, 8, 0x08 | 0x10, 0, 0, 0, 0, 0, 0xff]);
  const seconds = Math.floor(mtimeMs / 1000);
  if (seconds > 0 && seconds <= 0xffff_ffff) header.writeUInt32LE(seconds, 4);
  return Buffer.concat([header, headerText(posix.basename(name)), headerText(name)]);
}

/** Latin-1, as RFC 1952 has it; what does not fit there goes as UTF-8, which readers take as they find it. */
function headerText(text: string): Buffer {
  const fits = /^[\u0000-\u00ff]*$/.test(text);
  return Buffer.concat([Buffer.from(text, fits ? "latin1" : "utf8"), Buffer.alloc(1)]);
}

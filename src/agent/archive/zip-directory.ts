// Reads the directory of a zip with yauzl, through a read-ahead window (yauzl asks for a few bytes at a time), and
// decides for each member what it is. A name that leads out of where it is unpacked refuses the whole archive.

import type { FileHandle } from "node:fs/promises";
import { isUtf8 } from "node:buffer";
import { posix } from "node:path";
import * as yauzl from "yauzl";
import { RunnerError } from "../../core/errors.ts";
import type { PackedFile } from "./extract-files.ts";

export interface ZipItem {
  /** "other": FIFOs, sockets, devices. */
  readonly kind: "file" | "directory" | "symlink" | "other";
  readonly packed: PackedFile;
}

export interface ZipDirectory {
  readonly count: number;
  readonly items: AsyncIterable<ZipItem>;
}

const windowBytes = 1024 * 1024;
const utf8Flag = 0x0800;
const longestLink = 4096;

export async function readDirectory(handle: FileHandle): Promise<ZipDirectory> {
  const { size } = await handle.stat();
  try {
    const zip = await yauzl.fromRandomAccessReaderPromise(new WindowReader(handle), size, {
      decodeStrings: false,
      strictFileNames: true,
    });
    return { count: zip.entryCount, items: itemsOf(zip) };
  } catch (error) {
    throw unreadable(error);
  }
}

async function* itemsOf(zip: yauzl.ZipFile): AsyncGenerator<ZipItem> {
  const entries = zip.eachEntry();
  for (;;) {
    let next: IteratorResult<yauzl.Entry, unknown>;
    try {
      next = await entries.next();
    } catch (error) {
      throw unreadable(error);
    }
    if (next.done === true) return;
    yield itemOf(next.value);
  }
}

export function unreadable(why: unknown): RunnerError {
  const text = why instanceof Error ? why.message : String(why);
  return new RunnerError("script_failure", `the archive cannot be unpacked: ${text}`, {
    exitCode: 1,
    cause: why,
  });
}

function itemOf(entry: yauzl.Entry): ZipItem {
  const fullName = nameOf(entry);
  const name = posix.normalize(fullName).replace(/\/$/, "");
  if (entry.isEncrypted()) throw unreadable(`${name} is encrypted`);
  if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) {
    const method = entry.compressionMethod;
    throw unreadable(`${name} has compression method ${method}; only stored and deflated are read`);
  }
  const unixMode = entry.externalFileAttributes >>> 16;
  const kind = kindOf(unixMode, fullName.endsWith("/"));
  const bytes = Math.max(entry.uncompressedSize, entry.compressedSize);
  if (kind === "symlink" && bytes > longestLink) {
    throw unreadable(`the link ${name} is too long`);
  }
  return {
    kind,
    packed: {
      name: name === "." ? "" : name,
      mode: permissionsOf(unixMode, kind),
      mtimeSeconds: Math.floor(entry.getLastModDate({ timezone: "UTC" }).getTime() / 1000),
      method: entry.compressionMethod,
      crc: entry.crc32,
      size: entry.uncompressedSize,
      compressedSize: entry.compressedSize,
      offset: entry.relativeOffsetOfLocalHeader,
    },
  };
}

/** Most archives without the UTF-8 flag come from Unix and are UTF-8 all the same. */
function nameOf(entry: yauzl.Entry): string {
  const raw = entry.fileNameRaw;
  const flags = entry.generalPurposeBitFlag | (isUtf8(raw) ? utf8Flag : 0);
  const name = yauzl.getFileNameLowLevel(flags, raw, entry.extraFields, true);
  const problem = yauzl.validateFileName(name) ?? (name.includes("\0") ? "NUL in a name" : null);
  if (problem !== null) throw unreadable(problem);
  return name;
}

/** Archives from elsewhere have none, or call a directory a file. */
function permissionsOf(unixMode: number, kind: ZipItem["kind"]): number {
  if (kind === "directory" && (unixMode & 0o170000) !== 0o040000) return 0o755;
  return unixMode === 0 ? 0o644 : unixMode & 0o777;
}

function kindOf(unixMode: number, endsInSlash: boolean): ZipItem["kind"] {
  switch (unixMode & 0o170000) {
    case 0o040000:
      return "directory";
    case 0o120000:
      return "symlink";
    case 0o100000:
    case 0:
      return endsInSlash ? "directory" : "file";
    default:
      return "other";
  }
}

/** yauzl asks from front to back. */
class WindowReader extends yauzl.RandomAccessReader {
  readonly #handle: FileHandle;
  #window = Buffer.alloc(0);
  #start = 0;

  constructor(handle: FileHandle) {
    super();
    this.#handle = handle;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    const from = position - this.#start;
    if (from >= 0 && from + length <= this.#window.length) {
      this.#window.copy(buffer, offset, from, from + length);
      callback(null);
      return;
    }
    this.#fill(position, length).then(
      () => {
        if (this.#window.length < length) callback(new Error("it ends in the middle"));
        else {
          this.#window.copy(buffer, offset, 0, length);
          callback(null);
        }
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
    );
  }

  async #fill(position: number, length: number): Promise<void> {
    const into = Buffer.allocUnsafeSlow(Math.max(length, windowBytes));
    let got = 0;
    while (got < into.length) {
      const { bytesRead } = await this.#handle.read(into, got, into.length - got, position + got);
      if (bytesRead === 0) break;
      got += bytesRead;
    }
    this.#window = into.subarray(0, got);
    this.#start = position;
  }
}

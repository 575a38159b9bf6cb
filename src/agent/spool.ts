// The trace as GitLab shall have it, byte for byte, on the agent's own disk: what has been sent and
// what has not, its length and its checksum. Memory does not grow with it.

import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import * as zlib from "node:zlib";
import { crc32 as portableCrc32 } from "../core/crc32.ts";

/** Node's own where it has one (20.15 and newer), else ours. */
const crc32: (bytes: Uint8Array, seed: number) => number =
  typeof zlib.crc32 === "function" ? zlib.crc32 : portableCrc32;

/** What is still taken once the disk takes nothing more: the runner's own words on the job's end. */
const lastWordsBytes = 64 * 1024;
const newLine = 0x0a;

export interface Spool {
  readonly size: number;
  /** CRC-32 (IEEE) over all bytes so far. */
  readonly crc: number;
  /** Once the disk has failed, output is dropped, and a little of what is not output is kept in memory. */
  append(bytes: Uint8Array, isOutput: boolean): void;
  /** A copy of up to `length` bytes from `offset` on. */
  read(offset: number, length: number): Uint8Array;
  close(): void;
}

/**
 * Opens an empty spool in `folder`. The file has no name from then on: nothing to leave behind.
 * `onFault` hears, once, that the disk does not keep what is written to it.
 */
export function openSpool(folder: string, onFault: (cause: unknown) => void): Spool {
  let failed = false;
  const fail = (cause: unknown) => {
    failed = true;
    // Not within a write: whoever hears it may write.
    queueMicrotask(() => onFault(cause));
  };
  const file = openUnnamed(join(folder, "trace"), fail);
  const lastWords = Buffer.alloc(lastWordsBytes);
  let stored = 0;
  let kept = 0;
  let crc = 0;
  let endsLine = true;

  const count = (bytes: Uint8Array) => {
    // Of no bytes at all, Node's own checksum may be 0 whatever came before them.
    if (bytes.length === 0) return;
    crc = crc32(bytes, crc);
    endsLine = bytes.at(-1) === newLine;
  };
  /** How many of the bytes are on disk now: all, or whole lines. */
  const store = (bytes: Uint8Array): number => {
    let written = 0;
    try {
      while (file !== undefined && !failed && written < bytes.length) {
        written += writeSync(file, bytes, written, bytes.length - written, stored + written);
      }
    } catch (cause) {
      fail(cause);
      written = bytes.subarray(0, written).lastIndexOf(newLine) + 1;
    }
    stored += written;
    count(bytes.subarray(0, written));
    return written;
  };
  const remember = (words: Uint8Array) => {
    const fitting = words.subarray(0, lastWordsBytes - kept);
    lastWords.set(fitting, kept);
    kept += fitting.length;
    count(fitting);
  };
  return {
    get size() {
      return stored + kept;
    },
    get crc() {
      return crc;
    },
    append(bytes, isOutput) {
      const rest = bytes.subarray(store(bytes));
      if (isOutput || rest.length === 0) return;
      if (!endsLine) remember(Uint8Array.of(newLine));
      remember(rest);
    },
    read(offset, length) {
      const wanted = Math.max(0, Math.min(length, stored + kept - offset));
      const bytes = new Uint8Array(wanted);
      const fromFile = Math.max(0, Math.min(wanted, stored - offset));
      let got = 0;
      while (file !== undefined && got < fromFile) {
        const count = readSync(file, bytes, got, fromFile - got, offset + got);
        if (count === 0) break;
        got += count;
      }
      if (got < fromFile) return bytes.subarray(0, got);
      const at = Math.max(0, offset - stored);
      bytes.set(lastWords.subarray(at, at + wanted - fromFile), fromFile);
      return bytes;
    },
    close() {
      if (file !== undefined) closeSync(file);
    },
  };
}

function openUnnamed(path: string, onFault: (cause: unknown) => void): number | undefined {
  try {
    const file = openSync(path, "wx+", 0o600);
    unlinkSync(path);
    return file;
  } catch (cause) {
    onFault(cause);
    return undefined;
  }
}

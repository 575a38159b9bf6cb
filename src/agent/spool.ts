// The trace as GitLab shall have it, byte for byte, on the agent's own disk: what has been sent and
// what has not, its length and its checksum. Memory does not grow with it.

import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import * as zlib from "node:zlib";
import { crc32 as portableCrc32 } from "../core/crc32.ts";

/** Node's own where it has one (20.15 and newer), else ours. */
const crc32: (bytes: Uint8Array, seed: number) => number =
  typeof zlib.crc32 === "function" ? zlib.crc32 : portableCrc32;

export interface Spool {
  readonly size: number;
  /** CRC-32 (IEEE) over all bytes so far. */
  readonly crc: number;
  append(bytes: Uint8Array): void;
  /** A copy of up to `length` bytes from `offset` on. */
  read(offset: number, length: number): Uint8Array;
  close(): void;
}

/** Opens an empty spool in `folder`. The file has no name from then on: nothing to leave behind. */
export function openSpool(folder: string): Spool {
  const path = join(folder, "trace");
  const file = openSync(path, "wx+", 0o600);
  unlinkSync(path);
  let size = 0;
  let crc = 0;
  return {
    get size() {
      return size;
    },
    get crc() {
      return crc;
    },
    append(bytes) {
      for (let written = 0; written < bytes.length;) {
        written += writeSync(file, bytes, written, bytes.length - written, size + written);
      }
      size += bytes.length;
      crc = crc32(bytes, crc);
    },
    read(offset, length) {
      const wanted = Math.max(0, Math.min(length, size - offset));
      const bytes = new Uint8Array(wanted);
      let got = 0;
      while (got < wanted) {
        const count = readSync(file, bytes, got, wanted - got, offset + got);
        if (count === 0) break;
        got += count;
      }
      return bytes.subarray(0, got);
    },
    close() {
      closeSync(file);
    },
  };
}

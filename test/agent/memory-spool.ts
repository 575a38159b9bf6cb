// A spool that forgets, for tests of what writes to one and what reads from it.

import type { Spool } from "../../src/agent/spool.ts";
import { crc32 } from "../../src/core/crc32.ts";

export function memorySpool(): Spool {
  let bytes = Buffer.alloc(0);
  return {
    get size() {
      return bytes.length;
    },
    get crc() {
      return crc32(bytes, 0);
    },
    append(more) {
      bytes = Buffer.concat([bytes, more]);
    },
    read: (offset, length) => Uint8Array.from(bytes.subarray(offset, offset + length)),
    close() {
      // Nothing to close.
    },
  };
}

// Cuts a job's log at its limit and says so there, once. What comes later is counted and dropped.

import { noBytes } from "./byte-filter.ts";
import { boldYellow, reset } from "./colours.ts";

export interface LogLimit {
  /** What may be kept: the chunk, a part of it and the notice, or nothing. */
  admit(chunk: Uint8Array): Uint8Array;
  readonly exceeded: boolean;
  readonly droppedBytes: number;
}

export const defaultLogLimitBytes: number = 4096 * 1024;

/** Chunks are whole characters, as the trace filter gives them. */
export function createLogLimit(limitBytes: number): LogLimit {
  let room = limitBytes;
  let exceeded = false;
  let droppedBytes = 0;
  return {
    admit(chunk) {
      if (exceeded) {
        droppedBytes += chunk.length;
        return noBytes;
      }
      if (chunk.length <= room) {
        room -= chunk.length;
        return chunk;
      }
      exceeded = true;
      const kept = wholeCharacters(chunk, room);
      droppedBytes = chunk.length - kept;
      const notice = new TextEncoder().encode(limitNotice(limitBytes));
      const out = new Uint8Array(kept + notice.length);
      out.set(chunk.subarray(0, kept));
      out.set(notice, kept);
      return out;
    },
    get exceeded() {
      return exceeded;
    },
    get droppedBytes() {
      return droppedBytes;
    },
  };
}

function limitNotice(limitBytes: number): string {
  return (
    `\n${boldYellow}Job's log exceeded limit of ${limitBytes} bytes.\n` +
    `Job execution will continue but no more output will be collected.${reset}\n`
  );
}

/** The most of the first `size` bytes that does not end within a character. */
function wholeCharacters(chunk: Uint8Array, size: number): number {
  const longestTail = 3;
  for (let cut = size; cut >= Math.max(0, size - longestTail); cut--) {
    if ((chunk[cut]! & 0xc0) !== 0x80) return cut;
  }
  return size;
}

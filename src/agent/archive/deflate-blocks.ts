// One deflate stream made of blocks that are compressed side by side on libuv's threads: each gets the 32 KiB before
// it as dictionary and ends on a byte boundary, so that their concatenation is what one run would give.

import type { FileHandle } from "node:fs/promises";
import { constants, crc32, deflateRaw } from "node:zlib";

const blockBytes = 1024 * 1024;
/** One of libuv's four threads stays free for everybody else's files. */
export const blocksAtOnce = 3;
const dictionaryBytes = 32 * 1024;

export interface Block {
  readonly data: Buffer;
  readonly dictionary: Buffer | undefined;
  /** Ends the stream. */
  readonly last: boolean;
  /** CRC-32 of everything up to and including this block. */
  readonly crc: number;
}

/** The first `size` bytes of a file; ends early, with a last block, where the file does. */
export async function* readBlocks(handle: FileHandle, size: number): AsyncGenerator<Block> {
  let position = 0;
  let crc = 0;
  let dictionary: Buffer | undefined;
  for (let last = false; !last;) {
    const wanted = Math.min(blockBytes, size - position);
    const data = await readFully(handle, position, wanted);
    position += data.length;
    last = position >= size || data.length < wanted;
    crc = crc32(data, crc);
    yield { data, dictionary, last, crc };
    dictionary = data.subarray(Math.max(0, data.length - dictionaryBytes));
  }
}

export async function deflateBlock(block: Block, level: number): Promise<Buffer> {
  if (level === 0) return block.data;
  return await new Promise((resolve, reject) => {
    deflateRaw(
      block.data,
      {
        level,
        finishFlush: block.last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
        ...(block.dictionary === undefined ? {} : { dictionary: block.dictionary }),
      },
      (error, packed) => (error === null ? resolve(packed) : reject(error)),
    );
  });
}

async function readFully(handle: FileHandle, position: number, wanted: number): Promise<Buffer> {
  const data = Buffer.allocUnsafeSlow(wanted);
  let length = 0;
  while (length < wanted) {
    const { bytesRead } = await handle.read(data, length, wanted - length, position + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return data.subarray(0, length);
}

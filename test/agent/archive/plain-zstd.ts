// In the place of zstd: nothing is packed, so that tests of tar need no zstd on the machine.

import type { Zstd } from "../../../src/agent/archive/zstd.ts";

export const plainZstd: Zstd = {
  pack: (output) => ({
    write: async (bytes) => await output.appendFile(bytes),
    finish: () => Promise.resolve(),
    abandon: () => undefined,
  }),
  async *unpack(input) {
    // Pieces that headers lie across.
    for await (const chunk of input.createReadStream({ highWaterMark: 7001, autoClose: false })) {
      yield chunk as Buffer;
    }
  },
};

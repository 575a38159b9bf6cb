// Unpacks a cache, whichever format it has: its first bytes tell, its name does not.

import { open } from "node:fs/promises";
import { RunnerError } from "../../core/errors.ts";
import { sniffFormat } from "../archive/archive-format.ts";
import { extractTarZstd } from "../archive/tar-extract.ts";
import { extractZip } from "../archive/zip-reader.ts";
import type { UnzipOrder } from "../archive/zip-reader.ts";
import type { Zstd } from "../archive/zstd.ts";

export interface UnpackOrder extends UnzipOrder {
  readonly zstd: () => Promise<Zstd | undefined>;
}

export async function unpackCache(order: UnpackOrder): Promise<void> {
  const format = await formatOf(order.file);
  switch (format) {
    case "zip":
      return await extractZip(order);
    case "tarzstd": {
      const zstd = await order.zstd();
      if (zstd !== undefined) return await extractTarZstd(order, zstd);
      throw refusal(
        "it is packed by zstd, which is not here: Node has it from 22.15 on, or a program zstd on the PATH",
      );
    }
    case "gzip":
      throw refusal("it is packed by gzip, but caches are zip or tar.zst");
  }
}

async function formatOf(file: string): Promise<ReturnType<typeof sniffFormat>> {
  const handle = await open(file, "r");
  try {
    const start = Buffer.alloc(4);
    await handle.read(start, 0, start.length, 0);
    return sniffFormat(start);
  } finally {
    await handle.close();
  }
}

function refusal(why: string): RunnerError {
  return new RunnerError("script_failure", `the cache cannot be unpacked: ${why}`);
}

// zstd: Node's own where it has it (22.15 and later), else the program `zstd`, else none. Only what Node lacks is
// done by the program: a process more, and a pipe to and from it.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { constants as access } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { access as mayRun, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import type { Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as zlib from "node:zlib";

export interface Zstd {
  /** What is written to the sink arrives packed in `output`, which stays open. */
  pack(output: FileHandle, level: number): ByteSink;
  /** `input` from its start; throws where it is damaged or ends early. */
  unpack(input: FileHandle): AsyncIterable<Uint8Array>;
}

export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
  finish(): Promise<void>;
  /** Gives up; harmless after `finish`. */
  abandon(): void;
}

const streamBytes = 256 * 1024;

export async function findZstd(): Promise<Zstd | undefined> {
  return nodeZstd() ?? (await zstdOnPath(process.env["PATH"] ?? ""));
}

/** The first program of that name in the folders of `path`. */
export async function zstdOnPath(path: string): Promise<Zstd | undefined> {
  for (const folder of path.split(delimiter).filter((one) => isAbsolute(one))) {
    const program = join(folder, "zstd");
    if (await isProgram(program)) return zstdProgram(program);
  }
  return undefined;
}

/** What newer Nodes have in node:zlib, and the types of this one do not know. */
interface NewerZlib {
  readonly createZstdCompress?: (options: object) => Transform;
  readonly createZstdDecompress?: (options: object) => Transform;
}

export function nodeZstd(): Zstd | undefined {
  const { createZstdCompress, createZstdDecompress } = zlib as NewerZlib;
  if (createZstdCompress === undefined || createZstdDecompress === undefined) return undefined;
  const parameters: Readonly<Record<string, unknown>> = zlib.constants;
  return {
    pack(output, level) {
      const packer = createZstdCompress({
        chunkSize: streamBytes,
        params: {
          [Number(parameters["ZSTD_c_compressionLevel"])]: level,
          [Number(parameters["ZSTD_c_checksumFlag"])]: 1,
        },
      });
      const packed = pipeline(packer, async (chunks: AsyncIterable<Uint8Array>) => {
        for await (const chunk of chunks) await output.appendFile(chunk);
      });
      return sinkOf(packer, packed);
    },
    async *unpack(input) {
      const packed = input.createReadStream({ highWaterMark: streamBytes, autoClose: false });
      const unpacker = createZstdDecompress({ chunkSize: streamBytes });
      const fed = pipeline(packed, unpacker);
      // An error of either comes out of the second, which is the one that is read.
      fed.catch(() => undefined);
      yield* unpacker;
    },
  };
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await mayRun(path, access.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

export function zstdProgram(program: string): Zstd {
  return {
    pack(output, level) {
      const options = ["-q", "-c", "-T0", `-${level}`];
      const child = spawn(program, options, { stdio: ["pipe", output.fd, "pipe"], env: {} });
      if (child.stdin === null) throw new TypeError("a process without the pipe it was given");
      return sinkOf(child.stdin, endOf(child), () => child.kill("SIGKILL"));
    },
    async *unpack(input) {
      const child = spawn(program, ["-d", "-q", "-c"], {
        stdio: [input.fd, "pipe", "pipe"],
        env: {},
      });
      const ended = endOf(child);
      ended.catch(() => undefined);
      try {
        yield* child.stdout as AsyncIterable<Uint8Array>;
        await ended;
      } finally {
        child.kill("SIGKILL");
      }
    },
  };
}

/** Throws unless it ended well, with what it said of itself. */
async function endOf(child: ChildProcess): Promise<void> {
  let complaint = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    complaint = `${complaint}${text}`.slice(0, 500);
  });
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => {
      if (status === 0) resolve();
      else reject(new Error(complaint.trim() || `zstd ended with ${status ?? signal}`));
    });
  });
}

function sinkOf(input: Writable, packed: Promise<void>, end?: () => void): ByteSink {
  // Its reader tells better what went wrong.
  input.on("error", () => undefined);
  packed.catch(() => undefined);
  return {
    async write(bytes) {
      if (input.write(bytes)) return;
      let drained: (() => void) | undefined;
      const room = new Promise<void>((resolve) => {
        drained = resolve;
        input.once("drain", resolve);
      });
      await Promise.race([room, packed]);
      if (drained !== undefined) input.off("drain", drained);
      if (input.destroyed) await packed;
    },
    async finish() {
      input.end();
      await packed;
    },
    abandon() {
      if (!input.writableFinished) input.destroy();
      end?.();
    },
  };
}

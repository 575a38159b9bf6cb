// The log of one job, on disk: appended at its end and nowhere else, byte for byte as it came.

import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";

export class TraceFile {
  readonly path: string;
  #descriptor: number | undefined;
  #size = 0;
  #crc = 0;

  constructor(path: string) {
    this.path = path;
  }

  get size(): number {
    return this.#size;
  }

  /** As a runner reports it: `crc32:` and eight lower-case hexadecimal digits. */
  get checksum(): string {
    return `crc32:${this.#crc.toString(16).padStart(8, "0")}`;
  }

  append(bytes: Buffer) {
    this.#descriptor ??= openSync(this.path, "a");
    let written = 0;
    while (written < bytes.length) {
      written += writeSync(this.#descriptor, bytes, written, bytes.length - written);
    }
    this.#size += bytes.length;
    this.#crc = crc32(bytes, this.#crc);
  }

  read(): Buffer {
    return this.#size === 0 ? Buffer.alloc(0) : readFileSync(this.path);
  }

  /** Nothing more will come. */
  close() {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  erase() {
    this.close();
    rmSync(this.path, { force: true });
    this.#size = 0;
    this.#crc = 0;
  }
}

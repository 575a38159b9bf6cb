// Reads a tar as it streams by: ustar, pax and GNU's long names. Says of each member what it is; its content is read, or
// passed over. A name that leads out of where it is unpacked refuses the whole archive.

import { isUtf8 } from "node:buffer";
import { posix } from "node:path";

export interface TarItem {
  /** "other": hard links, FIFOs, devices, sparse files. */
  readonly kind: "file" | "directory" | "symlink" | "other";
  /** Relative and plain; "" is the folder itself that is unpacked into. */
  readonly name: string;
  /** Permission bits. */
  readonly mode: number;
  readonly mtimeSeconds: number;
  readonly size: number;
  /** Of a link. */
  readonly target: Buffer;
}

const block = 512;
const longestText = 1024 * 1024;
const nothing = Buffer.alloc(0);

/** What headers before it say of the next member. */
interface Overrides {
  path?: Buffer;
  linkpath?: Buffer;
  size?: number;
  mtimeSeconds?: number;
  sparse?: boolean;
}

export class TarReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Buffer = nothing;
  /** Of the member's content, not yet read. */
  #left = 0;
  #padding = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** undefined after the last one, when all of the source has been read. */
  async next(): Promise<TarItem | undefined> {
    await this.#skip();
    const overrides: Overrides = {};
    for (;;) {
      const header = await this.#take(block);
      if (header.every((byte) => byte === 0)) {
        await this.#drain();
        return undefined;
      }
      checkSum(header);
      const type = String.fromCharCode(header[156] ?? 0);
      const size = numberAt(header, 124, 12);
      if (!["x", "g", "L", "K"].includes(type)) return this.#begin(header, type, overrides);
      if (size > longestText) throw new Error("a header in it is too long");
      const text = await this.#take(size);
      await this.#take(paddingOf(size));
      if (type === "x") readPax(text, overrides);
      if (type === "L") overrides.path = cString(text);
      if (type === "K") overrides.linkpath = cString(text);
    }
  }

  /** The member's content, as it comes. */
  async *content(): AsyncGenerator<Uint8Array> {
    while (this.#left > 0) {
      if (this.#chunk.length === 0) await this.#fill();
      const part = this.#chunk.subarray(0, this.#left);
      this.#chunk = this.#chunk.subarray(part.length);
      this.#left -= part.length;
      yield part;
    }
  }

  /** The whole content, put into `into` at `position`. */
  async readInto(into: Uint8Array, position: number): Promise<void> {
    let at = position;
    for (;;) {
      const part = this.#chunk.subarray(0, this.#left);
      into.set(part, at);
      at += part.length;
      this.#chunk = this.#chunk.subarray(part.length);
      this.#left -= part.length;
      if (this.#left === 0) return;
      await this.#fill();
    }
  }

  /** Lets go of the source, read or not. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  #begin(header: Buffer, type: string, overrides: Overrides): TarItem {
    const raw = overrides.path ?? nameOf(header);
    const kind = overrides.sparse === true ? "other" : kindOf(type, raw);
    const size = overrides.size ?? numberAt(header, 124, 12);
    // What a link or a folder says of its size is no content.
    this.#left = type === "1" || type === "2" || type === "5" ? 0 : size;
    this.#padding = paddingOf(this.#left);
    return {
      kind: isUtf8(raw) ? kind : "other",
      name: plainName(raw.toString()),
      mode: numberAt(header, 100, 8) & 0o777,
      mtimeSeconds: overrides.mtimeSeconds ?? numberAt(header, 136, 12),
      size: this.#left,
      target: overrides.linkpath ?? cString(header.subarray(157, 257)),
    };
  }

  async #skip(): Promise<void> {
    let left = this.#left + this.#padding;
    while (left > 0) {
      if (this.#chunk.length === 0) await this.#fill();
      const part = Math.min(left, this.#chunk.length);
      this.#chunk = this.#chunk.subarray(part);
      left -= part;
    }
    this.#left = 0;
    this.#padding = 0;
  }

  /** True until the next call. */
  async #take(length: number): Promise<Buffer> {
    while (this.#chunk.length < length) await this.#fill();
    const taken = this.#chunk.subarray(0, length);
    this.#chunk = this.#chunk.subarray(length);
    return taken;
  }

  async #fill(): Promise<void> {
    const next = await this.#source.next();
    if (next.done === true) throw new Error("it ends in the middle");
    const { buffer, byteOffset, byteLength } = next.value;
    const chunk = Buffer.from(buffer, byteOffset, byteLength);
    this.#chunk = this.#chunk.length === 0 ? chunk : Buffer.concat([this.#chunk, chunk]);
  }

  /** Whether the packed archive is whole shows at its end only. */
  async #drain(): Promise<void> {
    while ((await this.#source.next()).done !== true);
  }
}

function paddingOf(size: number): number {
  return (block - (size % block)) % block;
}

function checkSum(header: Buffer): void {
  let sum = 0;
  for (let at = 0; at < block; at++) sum += at >= 148 && at < 156 ? 32 : (header[at] ?? 0);
  if (sum !== numberAt(header, 148, 8)) throw new Error("a header in it is damaged");
}

/** Octal; or, with the highest bit set, binary: GNU's way for large numbers. */
function numberAt(header: Buffer, at: number, length: number): number {
  const field = header.subarray(at, at + length);
  if (((field[0] ?? 0) & 0x80) === 0) {
    const text = cString(field).toString("latin1").trim();
    if (!/^[0-7]*$/.test(text)) throw new Error("a number in it is damaged");
    return text === "" ? 0 : Number.parseInt(text, 8);
  }
  const negative = field[0] === 0xff;
  const value = BigInt(`0x${field.subarray(1).toString("hex")}`);
  return Number(negative ? value - (1n << BigInt(8 * (length - 1))) : value);
}

function cString(field: Buffer): Buffer {
  const end = field.indexOf(0);
  // A copy: the field's memory is the stream's.
  return Buffer.from(end === -1 ? field : field.subarray(0, end));
}

function nameOf(header: Buffer): Buffer {
  const name = cString(header.subarray(0, 100));
  const isPosix = header.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isPosix ? cString(header.subarray(345, 500)) : nothing;
  return prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from("/"), name]);
}

/** `<length> <key>=<value>\n`, again and again. */
function readPax(text: Buffer, into: Overrides): void {
  for (let at = 0; at < text.length;) {
    const space = text.indexOf(0x20, at);
    const length = Number(text.toString("latin1", at, space));
    const end = at + length;
    const equals = text.indexOf(0x3d, space);
    if (!(space > at && equals > space && equals < end && end <= text.length)) {
      throw new Error("a header in it is damaged");
    }
    const key = text.toString("latin1", space + 1, equals);
    const value = Buffer.from(text.subarray(equals + 1, end - 1));
    if (key === "path") into.path = value;
    else if (key === "linkpath") into.linkpath = value;
    else if (key === "size") into.size = numeric(value, /^\d+$/);
    else if (key === "mtime") into.mtimeSeconds = Math.floor(numeric(value, /^-?\d+(\.\d*)?$/));
    else if (key.startsWith("GNU.sparse.")) into.sparse = true;
    at = end;
  }
}

function numeric(value: Buffer, form: RegExp): number {
  const text = value.toString("latin1");
  if (!form.test(text)) throw new Error("a number in it is damaged");
  return Number(text);
}

function kindOf(type: string, name: Buffer): TarItem["kind"] {
  switch (type) {
    case "0":
    case "7":
      return "file";
    case "\0":
      return name.at(-1) === 0x2f ? "directory" : "file";
    case "5":
      return "directory";
    case "2":
      return "symlink";
    default:
      return "other";
  }
}

function plainName(name: string): string {
  if (name.startsWith("/") || name.split("/").includes("..")) {
    throw new Error(`${name} leads out of the project`);
  }
  const plain = posix.normalize(name).replace(/\/$/, "");
  return plain === "." ? "" : plain;
}

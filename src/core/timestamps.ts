// Puts GitLab's 32 bytes before every line: time, stream, and whether the line goes on with the one before.
// A line without an end waits for it, unless a `\r` shows progress or it grows beyond 8 KiB.

import { type ByteFilter, noBytes } from "./byte-filter.ts";

const headerSize = 32;
const flagAt = 31;
const newLine = 0x0a;
const carriageReturn = 0x0d;
const continuation = 0x2b;
const fullLine = 0x20;
/** More of an unfinished line is not kept waiting. */
const longestWait = 8 * 1024;

/**
 * `stream`: two hexadecimal digits and `O` or `E`. `now`: milliseconds since the epoch; a fraction gives
 * the microseconds. All that one write begins carries the same time.
 */
export function createTimestamps(stream: string, now: () => number): ByteFilter {
  return new Timestamps(createHeader(stream), now);
}

class Timestamps implements ByteFilter {
  readonly #header: Header;
  readonly #now: () => number;
  /** Begins with the unfinished line, if there is one; what is written is put together behind it. */
  #out = new DataView(new ArrayBuffer(64 * 1024));
  /** The length of the unfinished line with its header. */
  #waiting = 0;

  constructor(header: Header, now: () => number) {
    this.#header = header;
    this.#now = now;
  }

  write(chunk: Uint8Array): Uint8Array {
    if (chunk.length === 0) return noBytes;
    this.#header.setTime(this.#now());
    const linesEnd = chunk.lastIndexOf(newLine) + 1;
    const lineStart = linesEnd > 0 ? this.#copyLines(chunk.subarray(0, linesEnd)) : 0;
    const rest = chunk.subarray(linesEnd);
    if (rest.length === 0) return this.#release(lineStart, lineStart);
    const lineEnd = linesEnd > 0 ? lineStart : this.#waiting;
    const isTooLong = lineEnd - lineStart + rest.length > longestWait;
    const end = this.#appendRest(rest, lineStart, lineEnd);
    if (!isTooLong && !rest.includes(carriageReturn)) return this.#release(lineStart, end);
    this.#header.continueLine();
    const cut = this.#endLine(end);
    return this.#release(cut, cut);
  }

  close(): Uint8Array {
    const end = this.#waiting === 0 ? 0 : this.#endLine(this.#waiting);
    this.#header.startLine();
    return this.#release(end, end);
  }

  /** Copies whole lines, a header before each; gives where they end in `#out`. */
  #copyLines(lines: Uint8Array): number {
    const source = new DataView(lines.buffer, lines.byteOffset, lines.length);
    const header = this.#header;
    const lastWord = lines.length - 4;
    let from = 0;
    let to = this.#waiting;
    let needsHeader = to === 0;
    while (from < lines.length) {
      const target = this.#reserve(to + headerSize + lines.length - from + 4);
      if (needsHeader) to = header.put(target, to);
      needsHeader = true;
      for (; from <= lastWord; from += 4, to += 4) {
        const word = source.getInt32(from, true);
        target.setInt32(to, word, true);
        if (hasNewLine(word)) break;
      }
      let byte = 0;
      while (byte !== newLine) {
        byte = source.getUint8(from++);
        target.setUint8(to++, byte);
      }
    }
    return to;
  }

  /** Takes what follows the last line's end; gives where it ends in `#out`. */
  #appendRest(rest: Uint8Array, lineStart: number, lineEnd: number): number {
    const target = this.#reserve(lineEnd + headerSize + rest.length + 1);
    const textStart = lineStart === lineEnd ? this.#header.put(target, lineEnd) : lineEnd;
    new Uint8Array(target.buffer).set(rest, textStart);
    return textStart + rest.length;
  }

  #endLine(at: number): number {
    this.#reserve(at + 1).setUint8(at, newLine);
    return at + 1;
  }

  #reserve(size: number): DataView<ArrayBuffer> {
    if (size > this.#out.byteLength) {
      const larger = new Uint8Array(Math.max(size, this.#out.byteLength * 2));
      larger.set(new Uint8Array(this.#out.buffer));
      this.#out = new DataView(larger.buffer);
    }
    return this.#out;
  }

  /** Hands out the first `size` bytes, and keeps what lies between there and `end`. */
  #release(size: number, end: number): Uint8Array {
    this.#waiting = end - size;
    if (size === 0) return noBytes;
    const all = new Uint8Array(this.#out.buffer);
    const bytes = all.slice(0, size);
    if (this.#waiting > 0) all.copyWithin(0, size, end);
    return bytes;
  }
}

/** Whether one of the four bytes is a `\n`: it alone turns to 0, and subtracting 1 from 0 sets its high bit. */
function hasNewLine(word: number): boolean {
  const difference = word ^ 0x0a0a0a0a;
  return ((difference - 0x01010101) & ~difference & 0x80808080) !== 0;
}

interface Header {
  setTime(milliseconds: number): void;
  /** Writes the header and gives where the text begins. */
  put(target: DataView, at: number): number;
  /** The next header says that its line goes on with the one before. */
  continueLine(): void;
  startLine(): void;
}

function createHeader(stream: string): Header {
  const bytes = new Uint8Array(headerSize);
  const words = new DataView(bytes.buffer);
  const encoder = new TextEncoder();
  encoder.encodeInto(stream, bytes.subarray(28, flagAt));
  bytes[flagAt] = fullLine;
  let rendered = Number.NaN;
  return {
    setTime(milliseconds) {
      if (milliseconds === rendered) return;
      rendered = milliseconds;
      encoder.encodeInto(timeText(milliseconds), bytes);
    },
    put(target, at) {
      for (let k = 0; k < headerSize; k += 4) {
        target.setInt32(at + k, words.getInt32(k, true), true);
      }
      bytes[flagAt] = fullLine;
      return at + headerSize;
    },
    continueLine() {
      bytes[flagAt] = continuation;
    },
    startLine() {
      bytes[flagAt] = fullLine;
    },
  };
}

/** `YYYY-MM-DDTHH:MM:SS.uuuuuuZ `, in UTC. */
function timeText(milliseconds: number): string {
  const whole = Math.floor(milliseconds);
  const microseconds = Math.floor((milliseconds - whole) * 1000);
  const toTheMillisecond = new Date(whole).toISOString().slice(0, -1);
  return `${toTheMillisecond}${String(microseconds).padStart(3, "0")}Z `;
}

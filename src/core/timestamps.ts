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
  const header = createHeader(stream);
  /** Begins with the unfinished line, if there is one; what is written is put together behind it. */
  let out = new DataView(new ArrayBuffer(64 * 1024));
  let waiting = 0;

  const reserve = (size: number) => {
    if (size <= out.byteLength) return;
    const larger = new Uint8Array(Math.max(size, out.byteLength * 2));
    larger.set(new Uint8Array(out.buffer));
    out = new DataView(larger.buffer);
  };

  /** Copies whole lines, header before each; gives where they end in `out`. */
  const copyLines = (lines: Uint8Array): number => {
    const source = new DataView(lines.buffer, lines.byteOffset, lines.length);
    const lastWord = lines.length - 4;
    let from = 0;
    let to = waiting;
    let needsHeader = waiting === 0;
    while (from < lines.length) {
      reserve(to + headerSize + lines.length - from + 4);
      const target = out;
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
  };

  /** Takes what follows the last line's end; gives where it ends in `out`. */
  const appendRest = (rest: Uint8Array, lineStart: number, lineEnd: number): number => {
    reserve(lineEnd + headerSize + rest.length + 1);
    const textStart = lineStart === lineEnd ? header.put(out, lineEnd) : lineEnd;
    new Uint8Array(out.buffer).set(rest, textStart);
    return textStart + rest.length;
  };

  const release = (size: number, end: number): Uint8Array => {
    const all = new Uint8Array(out.buffer);
    const bytes = size === 0 ? noBytes : all.slice(0, size);
    all.copyWithin(0, size, end);
    waiting = end - size;
    return bytes;
  };

  const endLine = (at: number): number => {
    reserve(at + 1);
    out.setUint8(at, newLine);
    return at + 1;
  };

  return {
    write(chunk) {
      if (chunk.length === 0) return noBytes;
      header.setTime(now());
      const linesEnd = chunk.lastIndexOf(newLine) + 1;
      const lineStart = linesEnd > 0 ? copyLines(chunk.subarray(0, linesEnd)) : 0;
      const rest = chunk.subarray(linesEnd);
      if (rest.length === 0) return release(lineStart, lineStart);
      const lineEnd = linesEnd > 0 ? lineStart : waiting;
      const isTooLong = lineEnd - lineStart + rest.length > longestWait;
      const end = appendRest(rest, lineStart, lineEnd);
      if (!isTooLong && !rest.includes(carriageReturn)) return release(lineStart, end);
      header.continueLine();
      const cut = endLine(end);
      return release(cut, cut);
    },
    close() {
      const end = waiting === 0 ? 0 : endLine(waiting);
      header.startLine();
      return release(end, end);
    },
  };
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

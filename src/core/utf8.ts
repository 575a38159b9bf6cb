// Makes a stream of bytes valid UTF-8: each byte that cannot be part of a character becomes U+FFFD, as
// the official runner's buffer does. A character cut by the end of a write waits for its other half.

import { type ByteFilter, concatBytes, noBytes } from "./byte-filter.ts";

const incomplete = -1;

export function createUtf8Repair(): ByteFilter {
  let held = noBytes;
  return {
    write(chunk) {
      const data = concatBytes(held, chunk);
      const bad = firstInvalid(data);
      if (bad === data.length) {
        held = noBytes;
        return data;
      }
      if (sequenceLength(data, bad) === incomplete) {
        held = data.slice(bad);
        return data.subarray(0, bad);
      }
      const repaired = repair(data, bad);
      held = data.slice(repaired.read);
      return repaired.bytes;
    },
    close() {
      const rest = new Uint8Array(held.length * 3);
      for (let at = 0; at < rest.length; at += 3) putReplacement(rest, at);
      held = noBytes;
      return rest;
    },
  };
}

/** Position of the first byte at or after `from` above 0x7f; the length where there is none. */
function skipAscii(data: Uint8Array, from: number): number {
  let at = from;
  const near = Math.min(data.length, from + 8);
  while (at < near) {
    if (data[at]! > 0x7f) return at;
    at++;
  }
  const words = new DataView(data.buffer, data.byteOffset, data.length);
  const lastEight = data.length - 8;
  while (at <= lastEight) {
    if (((words.getInt32(at, true) | words.getInt32(at + 4, true)) & 0x80808080) !== 0) break;
    at += 8;
  }
  while (at < data.length && data[at]! < 0x80) at++;
  return at;
}

/** Where the first invalid or incomplete sequence begins; the length where all is well. */
function firstInvalid(data: Uint8Array): number {
  let at = skipAscii(data, 0);
  while (at < data.length) {
    const length = sequenceLength(data, at);
    if (length <= 0) return at;
    at += length;
    if (at < data.length && data[at]! < 0x80) at = skipAscii(data, at);
  }
  return at;
}

function repair(data: Uint8Array, firstBad: number): { bytes: Uint8Array; read: number } {
  const out = new Uint8Array(firstBad + (data.length - firstBad) * 3);
  out.set(data.subarray(0, firstBad));
  let from = firstBad;
  let to = firstBad;
  while (from < data.length) {
    const length = sequenceLength(data, from);
    if (length === incomplete) break;
    if (length === 0) {
      putReplacement(out, to);
      to += 3;
      from++;
      continue;
    }
    for (let k = 0; k < length; k++) out[to++] = data[from++]!;
  }
  return { bytes: out.subarray(0, to), read: from };
}

/** Bytes of the character that begins at `at`; 0 where none does, `incomplete` where the end cuts it. */
function sequenceLength(data: Uint8Array, at: number): number {
  const lead = data[at]!;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  if (at + 1 >= data.length) return incomplete;
  const second = data[at + 1]!;
  if (second < lowestSecond(lead) || second > highestSecond(lead)) return 0;
  if (lead < 0xe0) return 2;
  if (at + 2 >= data.length) return incomplete;
  if ((data[at + 2]! & 0xc0) !== 0x80) return 0;
  if (lead < 0xf0) return 3;
  if (at + 3 >= data.length) return incomplete;
  return (data[at + 3]! & 0xc0) === 0x80 ? 4 : 0;
}

/** Keeps out the overlong forms of three and four bytes. */
function lowestSecond(lead: number): number {
  if (lead === 0xe0) return 0xa0;
  return lead === 0xf0 ? 0x90 : 0x80;
}

/** Keeps out surrogates and everything beyond U+10FFFF. */
function highestSecond(lead: number): number {
  if (lead === 0xed) return 0x9f;
  return lead === 0xf4 ? 0x8f : 0xbf;
}

function putReplacement(out: Uint8Array, at: number): void {
  out[at] = 0xef;
  out[at + 1] = 0xbf;
  out[at + 2] = 0xbd;
}

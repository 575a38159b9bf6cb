// Runs a filter over a stream that was cut into writes, and cuts streams at random, the same in every run.

import { type ByteFilter, concatBytes, noBytes } from "../../src/core/byte-filter.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

export function runBytes(filter: ByteFilter, writes: readonly Uint8Array[]): Uint8Array {
  let out = noBytes;
  for (const write of writes) {
    // Memory that its reader uses again: nobody may hold on to it.
    const chunk = write.slice();
    out = concatBytes(out, filter.write(chunk).slice());
    chunk.fill(0x23);
  }
  return concatBytes(out, filter.close());
}

/** Each `|` in `text` is the end of a write. */
export function runText(filter: ByteFilter, text: string): string {
  return textOf(runBytes(filter, text.split("|").map(bytesOf)));
}

export type Random = () => number;

/** Numbers in [0, 1). */
export function seededRandom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[below(random, items.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

export function randomText(random: Random, letters: string, length: number): string {
  return Array.from({ length }, () => letters[below(random, letters.length)]).join("");
}

/** Cuts into writes of up to `longest` bytes, empty ones among them. */
export function cutAtRandom(random: Random, bytes: Uint8Array, longest: number): Uint8Array[] {
  const writes: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = below(random, longest + 1);
    writes.push(bytes.subarray(at, at + length));
    at += length;
  }
  return writes;
}

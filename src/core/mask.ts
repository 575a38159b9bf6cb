// Replaces secret values in a stream by [MASKED], as if each were replaced everywhere, the longest first;
// so where two overlap, the longer wins. What may be the beginning of a secret at a write's end waits.

import { type ByteFilter, concatBytes, maskBytes as mask, noBytes } from "./byte-filter.ts";
import { compilePatterns, type Hit } from "./pattern-scan.ts";

/** The phrases to look for: trimmed, without empty and repeated ones, longest first. */
export function maskPhrases(secrets: readonly string[]): readonly Uint8Array[] {
  const texts = new Set(secrets.map((secret) => secret.trim()));
  texts.delete("");
  const encoder = new TextEncoder();
  return [...texts].map((text) => encoder.encode(text)).toSorted(longestFirst);
}

function longestFirst(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return b.length - a.length;
  const differing = a.findIndex((byte, index) => byte !== b[index]);
  return differing < 0 ? 0 : b[differing]! - a[differing]!;
}

export function createPhraseMask(secrets: readonly string[]): ByteFilter {
  const phrases = maskPhrases(secrets);
  if (phrases.length === 0) return { write: (chunk) => chunk, close: () => noBytes };
  const scan = compilePatterns(phrases);
  const partialStart = partialFinder(phrases);
  // Which of several overlapping phrases is masked can depend on what follows, but never on more than
  // one of each kind.
  const farthest = phrases.reduce((sum, phrase) => sum + phrase.length, 0);
  let held = noBytes;
  /** How far a mask that is already written reaches into `held`. */
  let maskedUntil = 0;

  const settle = (data: Uint8Array, isEnd: boolean): Uint8Array => {
    const hits = scan.find(data);
    let cut = isEnd ? data.length : partialStart(data);
    if (hits.length === 0 && maskedUntil === 0) {
      held = data.slice(cut);
      return data.subarray(0, cut);
    }
    if (!isEnd) cut = undecidedFrom(data, cut, hits, phrases, data.length - farthest);
    const out = new Uint8Array(cut + hits.length * mask.length);
    let size = 0;
    let at = maskedUntil;
    for (const { start, pattern } of chooseLongest(data.length, hits, phrases, maskedUntil)) {
      if (start >= cut) break;
      out.set(data.subarray(at, start), size);
      size += start - at;
      out.set(mask, size);
      size += mask.length;
      at = start + phrases[pattern]!.length;
    }
    if (at < cut) {
      out.set(data.subarray(at, cut), size);
      size += cut - at;
    }
    maskedUntil = Math.max(0, at - cut);
    held = data.slice(cut);
    return out.subarray(0, size);
  };

  return {
    write: (chunk) => (chunk.length === 0 ? chunk : settle(concatBytes(held, chunk), false)),
    close() {
      const rest = settle(held, true);
      maskedUntil = 0;
      return rest;
    },
  };
}

/** The occurrences to mask, in the order of the stream. */
function chooseLongest(
  length: number,
  hits: readonly Hit[],
  phrases: readonly Uint8Array[],
  maskedUntil: number,
): readonly Hit[] {
  if (hits.length === 1 && hits[0]!.start >= maskedUntil) return hits;
  const taken = new Uint8Array(length).fill(1, 0, maskedUntil);
  const chosen: Hit[] = [];
  // The phrases are longest first, so a taken part is never shorter than a later hit: looking at both
  // ends of the hit is enough to see an overlap.
  for (const hit of hits.toSorted((a, b) => a.pattern - b.pattern || a.start - b.start)) {
    const end = hit.start + phrases[hit.pattern]!.length;
    if (taken[hit.start] === 1 || taken[end - 1] === 1) continue;
    taken.fill(1, hit.start, end);
    chosen.push(hit);
  }
  return chosen.toSorted((a, b) => a.start - b.start);
}

/**
 * From where on the future may still change what is masked: the beginning of the chain of overlapping
 * occurrences that reaches the unfinished one at `partial`, but not before `floor`.
 */
function undecidedFrom(
  data: Uint8Array,
  partial: number,
  hits: readonly Hit[],
  phrases: readonly Uint8Array[],
  floor: number,
): number {
  let from = partial;
  if (from === data.length) return from;
  for (const { start, pattern } of hits.toReversed()) {
    if (start < from && start + phrases[pattern]!.length > from) from = start;
  }
  if (from >= floor) return from;
  from = Math.max(0, floor);
  while (from > 0 && (data[from]! & 0xc0) === 0x80) from--;
  return from;
}

/** Gives a function: where the first suffix begins that a phrase begins with; the length if none does. */
function partialFinder(phrases: readonly Uint8Array[]): (data: Uint8Array) => number {
  const longest = phrases[0]!.length;
  const byFirstByte = new Map<number, Uint8Array[]>();
  const isFirstByte = new Uint8Array(256);
  for (const phrase of phrases) {
    const first = phrase[0]!;
    isFirstByte[first] = 1;
    byFirstByte.set(first, [...(byFirstByte.get(first) ?? []), phrase]);
  }
  return (data) => {
    for (let at = Math.max(0, data.length - longest + 1); at < data.length; at++) {
      const first = data[at]!;
      if (isFirstByte[first] === 0) continue;
      for (const phrase of byFirstByte.get(first)!) if (isBeginning(data, at, phrase)) return at;
    }
    return data.length;
  };
}

/** Whether `phrase` begins with all that follows `at`, and goes on. */
function isBeginning(data: Uint8Array, at: number, phrase: Uint8Array): boolean {
  const rest = data.length - at;
  if (rest >= phrase.length) return false;
  for (let k = 1; k < rest; k++) if (data[at + k] !== phrase[k]) return false;
  return true;
}

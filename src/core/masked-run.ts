// Masks what follows a known text: after each occurrence of a lead, the run of bytes of a given kind
// becomes [MASKED]. What is masked depends only on bytes that came before, so no text is held back.

import { type ByteFilter, concatBytes, maskBytes as mask, noBytes } from "./byte-filter.ts";
import { compilePatterns } from "./pattern-scan.ts";

export interface MaskedRun {
  readonly leads: readonly string[];
  /** Whether the leads' letters match in either case. */
  readonly anyCase: boolean;
  /** 1 for each byte that goes on with a run. */
  readonly runBytes: Uint8Array;
  /** Whether a lead with no run after it gets a [MASKED] as well. */
  readonly masksEmptyRuns: boolean;
}

/** Tables are made once; each stream gets a filter of its own. */
export function maskedRunFilter(options: MaskedRun): () => ByteFilter {
  const leads = options.leads.filter((lead) => lead !== "");
  if (leads.length === 0) return () => ({ write: (chunk) => chunk, close: () => noBytes });
  const finder = leadFinder(leads, options.anyCase);
  return () => runMask(finder, options);
}

interface LeadFinder {
  /** Where leads end in `data`, ascending; also those that began in `before`. */
  ends(before: Uint8Array, data: Uint8Array): number[];
  /** How many of the last bytes can be part of a lead that ends later. */
  readonly reach: number;
}

function leadFinder(texts: readonly string[], anyCase: boolean): LeadFinder {
  const encoder = new TextEncoder();
  const leads = texts.map((text) => encoder.encode(text));
  const scan = compilePatterns(leads, { anyCase });
  const reach = Math.max(...leads.map((lead) => lead.length)) - 1;
  return {
    reach,
    ends(before, data) {
      const ends: number[] = [];
      if (before.length > 0) {
        for (const { start, pattern } of scan.find(concatBytes(before, data.subarray(0, reach)))) {
          const end = start + leads[pattern]!.length - before.length;
          if (start < before.length && end > 0) ends.push(end);
        }
      }
      for (const { start, pattern } of scan.find(data)) ends.push(start + leads[pattern]!.length);
      return ends.length > 1 ? ends.toSorted((a, b) => a - b) : ends;
    },
  };
}

function runMask(finder: LeadFinder, options: MaskedRun): ByteFilter {
  const { runBytes, masksEmptyRuns } = options;
  let before = noBytes;
  /** Between writes: outside of a run, right after a lead, or within a run. */
  let place: "outside" | "after-lead" | "inside" = "outside";
  /** The beginning of a [MASKED] within a run. */
  let held = noBytes;

  return {
    write(chunk) {
      if (chunk.length === 0) return chunk;
      const data = concatBytes(held, chunk);
      const ends = finder.ends(before, data);
      if (place === "outside" && ends.length === 0) {
        before = lastBytes(before, data, finder.reach);
        return data;
      }
      if (place === "after-lead") ends.unshift(0);
      const out = new Uint8Array(data.length + ends.length * mask.length);
      let size = 0;
      let at = place === "inside" ? runEnd(data, 0, runBytes) : 0;
      let isOpen = place === "inside" && isUnfinished(data, at);
      if (!isOpen) place = "outside";
      for (const end of ends) {
        if (isOpen || end < at) continue;
        out.set(data.subarray(at, end), size);
        size += end - at;
        at = runEnd(data, end, runBytes);
        isOpen = isUnfinished(data, at);
        const isMasked = at > end || masksEmptyRuns;
        if (isMasked) {
          out.set(mask, size);
          size += mask.length;
        }
        if (isOpen) place = isMasked ? "inside" : "after-lead";
      }
      if (!isOpen) {
        out.set(data.subarray(at), size);
        size += data.length - at;
        at = data.length;
      }
      held = data.slice(at);
      before = lastBytes(before, data.subarray(0, at), finder.reach);
      return out.subarray(0, size);
    },
    close() {
      const rest = held;
      before = noBytes;
      held = noBytes;
      place = "outside";
      return rest;
    },
  };
}

/** Where the run from `from` ends. A [MASKED] that an earlier filter put there belongs to it. */
function runEnd(data: Uint8Array, from: number, runBytes: Uint8Array): number {
  let at = from;
  for (;;) {
    while (at < data.length && runBytes[data[at]!] === 1) at++;
    if (maskLength(data, at) < mask.length) return at;
    at += mask.length;
  }
}

/** Whether the run goes on with the next write, as far as `data` can tell. */
function isUnfinished(data: Uint8Array, at: number): boolean {
  return at + maskLength(data, at) === data.length;
}

/** How many bytes from `at` on are those of a [MASKED]. */
function maskLength(data: Uint8Array, at: number): number {
  let length = 0;
  while (length < mask.length && at + length < data.length && data[at + length] === mask[length]) {
    length++;
  }
  return length;
}

function lastBytes(before: Uint8Array, data: Uint8Array, count: number): Uint8Array {
  if (data.length >= count) return data.slice(data.length - count);
  const both = concatBytes(before, data);
  return both.slice(Math.max(0, both.length - count));
}

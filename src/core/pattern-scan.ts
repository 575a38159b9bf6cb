// Finds every occurrence of many byte patterns in one pass, without looking at every byte. A pattern of
// n bytes holds n - 2 triples of bytes, so looking at every (n - 2)nd triple of the text meets each
// occurrence once; a table tells the few triples that are part of a pattern.
// The inner loops are the hot path of the whole trace: no closures in there, four steps at once, none of which
// waits for another.

export interface Hit {
  readonly start: number;
  /** Index of the pattern that begins there. */
  readonly pattern: number;
}

export interface PatternScan {
  /** All occurrences in `data`, overlapping ones too, by where they start. */
  find(data: Uint8Array): readonly Hit[];
}

type Find = PatternScan["find"];

interface Place {
  readonly pattern: number;
  readonly offset: number;
}

const none: readonly Hit[] = [];
/** Patterns of these lengths are looked for apart, lest a short one make the steps of all short. */
const lengthClasses = [1, 3, 5];
const tripleBytes = 3;
/** Triples are read as words of four bytes, of which the last does not count. */
const wordBytes = 4;
const wholeTriple = 0xffffff;
/** Without the bits in which a small letter differs from its capital. */
const foldedTriple = wholeTriple & ~0x202020;
const slotBits = 15;
/** Beyond this, longer steps save nothing and fill the table. */
const longestStep = 32;

/** `anyCase`: ASCII letters of the patterns match in either case. */
export function compilePatterns(
  patterns: readonly Uint8Array[],
  options: { readonly anyCase: boolean } = { anyCase: false },
): PatternScan {
  const lower = caseTable(options.anyCase);
  const folded = patterns.map((pattern) => pattern.map((byte) => lower[byte]!));
  const finds = lengthClasses.flatMap((least, index) => {
    const beyond = lengthClasses[index + 1] ?? Number.POSITIVE_INFINITY;
    const chosen = folded.flatMap(({ length }, pattern) =>
      length >= least && length < beyond ? [pattern] : [],
    );
    if (chosen.length === 0) return [];
    return [
      least < tripleBytes
        ? scanForFirstBytes(folded, chosen, lower)
        : scanForTriples(folded, chosen, lower),
    ];
  });
  return {
    find(data) {
      let all = none;
      for (const find of finds) {
        const hits = find(data);
        if (hits.length === 0) continue;
        all = all.length === 0 ? hits : [...all, ...hits].toSorted((a, b) => a.start - b.start);
      }
      return all;
    },
  };
}

function scanForTriples(
  patterns: readonly Uint8Array[],
  chosen: readonly number[],
  lower: Uint8Array,
): Find {
  const tripleMask = lower[0x41] === 0x41 ? wholeTriple : foldedTriple;
  const shortest = Math.min(...chosen.map((pattern) => patterns[pattern]!.length));
  const step = Math.min(shortest - tripleBytes + 1, longestStep);
  const places = placesBySlot(patterns, chosen, step, tripleMask);
  const isUsed = new Uint8Array(1 << slotBits);
  for (const slot of places.keys()) isUsed[slot] = 1;

  return (data) => {
    let hits: Hit[] | undefined;
    const words = new DataView(data.buffer, data.byteOffset, data.length);
    let at = nextUsed(words, 0, step, isUsed, tripleMask);
    while (at < data.length) {
      for (const { pattern, offset } of places.get(slotAt(words, at, tripleMask)) ?? []) {
        const start = at - offset;
        if (beginsAt(data, start, patterns[pattern]!, lower))
          (hits ??= []).push({ start, pattern });
      }
      at = nextUsed(words, at + step, step, isUsed, tripleMask);
    }
    return hits ?? none;
  };
}

/** Where in which patterns the triples of a slot are, those that begin earliest in the text first. */
function placesBySlot(
  patterns: readonly Uint8Array[],
  chosen: readonly number[],
  step: number,
  tripleMask: number,
): ReadonlyMap<number, readonly Place[]> {
  const places = new Map<number, Place[]>();
  const views = patterns.map(({ buffer, byteOffset, length }) => {
    return new DataView(buffer, byteOffset, length);
  });
  for (let offset = step - 1; offset >= 0; offset--) {
    for (const pattern of chosen) {
      const slot = slotAt(views[pattern]!, offset, tripleMask);
      const there = places.get(slot) ?? [];
      there.push({ pattern, offset });
      places.set(slot, there);
    }
  }
  return places;
}

/** The next of every `step`th triple that a pattern may hold; the length if there is none. */
function nextUsed(
  words: DataView,
  from: number,
  step: number,
  isUsed: Uint8Array,
  tripleMask: number,
): number {
  const lastFour = words.byteLength - wordBytes - 3 * step;
  let at = from;
  for (; at <= lastFour; at += 4 * step) {
    const used =
      isUsed[slotOf(words.getInt32(at, true) & tripleMask)]! |
      isUsed[slotOf(words.getInt32(at + step, true) & tripleMask)]! |
      isUsed[slotOf(words.getInt32(at + 2 * step, true) & tripleMask)]! |
      isUsed[slotOf(words.getInt32(at + 3 * step, true) & tripleMask)]!;
    if (used !== 0) break;
  }
  const last = words.byteLength - tripleBytes;
  while (at <= last && isUsed[slotAt(words, at, tripleMask)] === 0) at += step;
  return at <= last ? at : words.byteLength;
}

/** For any triple, also one that ends where the text does. */
function slotAt(words: DataView, at: number, tripleMask: number): number {
  const triple = words.getUint16(at, true) | (words.getUint8(at + 2) << 16);
  return slotOf(triple & tripleMask);
}

/** The high bits of a product depend on all bits of the triple (2^32 over the golden ratio). */
function slotOf(triple: number): number {
  return Math.imul(triple, 0x9e3779b1) >>> (32 - slotBits);
}

function scanForFirstBytes(
  patterns: readonly Uint8Array[],
  chosen: readonly number[],
  lower: Uint8Array,
): Find {
  const byFirstByte = Array.from({ length: 256 }, (_, byte) =>
    chosen.filter((pattern) => patterns[pattern]![0] === lower[byte]),
  );
  const isFirstByte = Uint8Array.from(byFirstByte, (matching) => (matching.length > 0 ? 1 : 0));

  return (data) => {
    let hits: Hit[] | undefined;
    for (let start = 0; start < data.length; start++) {
      const byte = data[start]!;
      if (isFirstByte[byte] === 0) continue;
      for (const pattern of byFirstByte[byte]!) {
        if (beginsAt(data, start, patterns[pattern]!, lower))
          (hits ??= []).push({ start, pattern });
      }
    }
    return hits ?? none;
  };
}

function beginsAt(
  data: Uint8Array,
  start: number,
  pattern: Uint8Array,
  lower: Uint8Array,
): boolean {
  if (start < 0 || start + pattern.length > data.length) return false;
  for (let k = 0; k < pattern.length; k++) {
    if (lower[data[start + k]!] !== pattern[k]) return false;
  }
  return true;
}

/** What each byte is compared as. */
function caseTable(anyCase: boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) =>
    anyCase && byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte,
  );
}

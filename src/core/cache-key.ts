// A cache key becomes a path in a store: whatever a job writes, the path stays below its project's.

const encodings: readonly (readonly [RegExp, string])[] = [
  [/%2f|\\/gi, "/"],
  [/%2e/gi, "."],
  [/\0/g, ""],
];

/** The usable form of a key; undefined if nothing of it is left. */
export function sanitizeCacheKey(key: string): string | undefined {
  const decoded = encodings.reduce((text, [pattern, plain]) => text.replace(pattern, plain), key);
  const segments: string[] = [];
  for (const segment of decoded.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  for (;;) {
    const last = segments.pop()?.trimEnd();
    if (last === undefined) return undefined;
    // "..", too, may come to light by trimming.
    if (!["", ".", ".."].includes(last)) return [...segments, last].join("/");
  }
}

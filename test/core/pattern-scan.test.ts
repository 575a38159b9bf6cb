import { expect, test } from "vitest";
import { compilePatterns, type Hit } from "../../src/core/pattern-scan.ts";
import { below, bytesOf, pick, randomText, seededRandom } from "./filter-runs.ts";

test("no pattern, no hit", () => {
  expect(compilePatterns([]).find(bytesOf("text"))).toEqual([]);
});

test("all occurrences, overlapping ones too, by where they start", () => {
  const scan = compilePatterns(["aba", "b", "abab", "longer one"].map(bytesOf));
  expect(scan.find(bytesOf("ababa"))).toEqual(
    expect.arrayContaining([
      { start: 0, pattern: 0 },
      { start: 0, pattern: 2 },
      { start: 1, pattern: 1 },
      { start: 2, pattern: 0 },
      { start: 3, pattern: 1 },
    ]),
  );
});

test("letters match in either case where that is asked for", () => {
  const scan = compilePatterns([bytesOf("?X-Amz-Key=")], { anyCase: true });
  expect(scan.find(bytesOf("a?x-aMZ-kEY=1"))).toEqual([{ start: 1, pattern: 0 }]);
  expect(scan.find(bytesOf("a?x-aMZ\rkEY=1"))).toEqual([]);
});

function everyHit(patterns: readonly string[], text: string): Hit[] {
  const hits: Hit[] = [];
  for (let start = 0; start < text.length; start++) {
    for (const [pattern, value] of patterns.entries()) {
      if (text.startsWith(value, start)) hits.push({ start, pattern });
    }
  }
  return hits;
}

const inOrder = (hits: readonly Hit[]) =>
  hits.toSorted((a, b) => a.start - b.start || a.pattern - b.pattern);

test.each([
  ["short patterns", 4],
  ["patterns of all lengths", 12],
  ["patterns longer than a step", 60],
])("finds what a plain search finds: %s", (_, longest) => {
  const random = seededRandom(longest);
  for (let round = 0; round < 300; round++) {
    const letters = pick(random, ["ab", "abcd", "abcdefghijklmnop"]);
    const patterns = Array.from({ length: 1 + below(random, 6) }, () =>
      randomText(random, letters, 1 + below(random, longest)),
    );
    const text = Array.from({ length: below(random, 60) }, () =>
      random() < 0.3 ? pick(random, patterns) : randomText(random, letters, 1),
    ).join("");
    const hits = compilePatterns(patterns.map(bytesOf)).find(bytesOf(text));
    expect({ patterns, text, hits: inOrder(hits) }).toEqual({
      patterns,
      text,
      hits: everyHit(patterns, text),
    });
    const starts = hits.map((hit) => hit.start);
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
  }
});

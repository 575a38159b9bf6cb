import { expect, test } from "vitest";
import { createPhraseMask, maskPhrases } from "../../src/core/mask.ts";
import {
  below,
  bytesOf,
  cutAtRandom,
  pick,
  randomText,
  runBytes,
  runText,
  seededRandom,
  textOf,
} from "./filter-runs.ts";

test.each([
  ["no secret, nothing masked", [], "plain | text", "plain  text"],
  ["empty secrets mask nothing", ["", "  "], "a  b", "a  b"],
  ["a secret alone", ["secrets"], "secrets", "[MASKED]"],
  ["C43 a secret split over two writes", ["secrets"], "secret|s", "[MASKED]"],
  ["C43 a secret split after its first byte", ["secrets"], "s|ecrets", "[MASKED]"],
  ["a secret a byte at a time", ["abcd"], "x|a|b|c|d|y", "x[MASKED]y"],
  ["one after the other", ["secrets"], "secretssecrets", "[MASKED][MASKED]"],
  ["a false start right before", ["secrets"], "s|secrets", "s[MASKED]"],
  ["a false start of two bytes", ["aab"], "aa|ab", "a[MASKED]"],
  ["a beginning that turns out to be none", ["secrets"], "secr|et", "secret"],
  ["a beginning at the end of the stream", ["secrets"], "my secr", "my secr"],
  ["several secrets", ["foo", "bar"], "xfo|ox b|arr", "x[MASKED]x [MASKED]r"],
  ["secrets of one byte", ["a"], "banana", "b[MASKED]n[MASKED]n[MASKED]"],
  ["surrounding white space is not part of a secret", ["  key\n"], "=key=", "=[MASKED]="],
  ["a secret over lines", ["one\ntwo"], "one|\ntwo\nthree", "[MASKED]\nthree"],
  ["a secret that is not ASCII", ["größe✓"], "die größe✓!", "die [MASKED]!"],
  ["the text of a mask is not searched", ["MASK", "secret"], "secret", "[MASKED]"],
  ["C43 a secret that begins with another", ["mask", "masked"], "masked mask", "[MASKED] [MASKED]"],
  ["C43 a secret that ends with another", ["mask", "pre_mask"], "pre_|mask", "[MASKED]"],
  [
    "C43 of overlapping secrets the longest wins",
    ["this is the end", "en foobar", "en"],
    "overlap: this is the en| foobar",
    "overlap: this is the [MASKED]",
  ],
  ["C43 the longest wins though it begins later", ["abc", "bcdef"], "abc|def", "a[MASKED]"],
  ["C43 the longest wins though it ends earlier", ["abcd", "def"], "abcdef", "[MASKED]ef"],
  [
    "the shorter one, when the longer turns out to be none",
    ["abc", "bcdef"],
    "abc|dex",
    "[MASKED]dex",
  ],
  ["of occurrences that overlap themselves the first", ["aa"], "aaa|", "[MASKED]a"],
])("%s", (_, secrets, writes, expected) => {
  expect(runText(createPhraseMask(secrets), writes)).toBe(expected);
});

test("a secret of many kilobytes in two writes is masked", () => {
  const secret = Array.from({ length: 4000 }, (_, index) => index).join(" ");
  const [first, second] = [secret.slice(0, 8000), secret.slice(8000)];
  expect(runText(createPhraseMask([secret]), `large: ${first}|${second}.`)).toBe(
    "large: [MASKED].",
  );
});

test("phrases are trimmed, distinct and longest first", () => {
  const phrases = maskPhrases(["aa", " aa ", "", "b", "ccc", "ab"]);
  expect(phrases.map(textOf)).toEqual(["ccc", "ab", "aa", "b"]);
});

test("a write without a secret comes out as the same memory", () => {
  const chunk = bytesOf("nothing to hide\n");
  const out = createPhraseMask(["hunter22"]).write(chunk);
  expect(out.buffer).toBe(chunk.buffer);
});

test("the stream goes on afresh after close", () => {
  const mask = createPhraseMask(["secret"]);
  expect(runText(mask, "sec")).toBe("sec");
  expect(runText(mask, "ret secret")).toBe("ret [MASKED]");
});

test("what is held back stays small though secrets overlap without end", () => {
  const mask = createPhraseMask(["aaaa", "aaa"]);
  let out = 0;
  for (let round = 0; round < 100; round++) out += mask.write(bytesOf("a".repeat(1000))).length;
  expect(out).toBeGreaterThanOrEqual((100_000 - 20) * 2);
});

/** Each secret replaced everywhere, the longest first, never within what is masked already. */
function replaceAll(text: string, secrets: readonly string[]): string {
  const texts = maskPhrases(secrets).map(textOf);
  let parts: readonly (string | undefined)[] = [text];
  for (const secret of texts) {
    parts = parts.flatMap((part) =>
      part === undefined
        ? [part]
        : part
            .split(secret)
            .flatMap((piece, index) => (index === 0 ? [piece] : [undefined, piece])),
    );
  }
  return parts.map((part) => part ?? "[MASKED]").join("");
}

test.each([1, 2, 3, 4, 5, 6])(
  "however a stream is cut, secrets are replaced as if in one text (%i)",
  (seed) => {
    const random = seededRandom(seed * 7919);
    for (let round = 0; round < 200; round++) {
      const letters = pick(random, ["ab", "abc", "aé ", "abcdefgh"]);
      const secrets = Array.from({ length: 1 + below(random, 5) }, () =>
        randomText(random, letters, 1 + below(random, 9)),
      );
      const text = Array.from({ length: below(random, 40) }, () =>
        random() < 0.3 ? pick(random, secrets) : randomText(random, letters, 1),
      ).join("");
      const writes = cutAtRandom(random, bytesOf(text), 1 + below(random, 12));
      const given = { secrets, writes: writes.map((write) => [...write]) };
      const masked = textOf(runBytes(createPhraseMask(secrets), writes));
      expect({ ...given, masked }).toEqual({ ...given, masked: replaceAll(text, secrets) });
    }
  },
);

import { expect, test } from "vitest";
import { createTraceFilter, type TraceFilterOptions } from "../../src/core/trace-filter.ts";
import { jobTokenPrefixes } from "../../src/core/token-prefixes.ts";
import {
  below,
  bytesOf,
  cutAtRandom,
  pick,
  runBytes,
  runText,
  seededRandom,
  textOf,
} from "./filter-runs.ts";

const stamp = "2026-02-03T04:05:06.007000Z 01O";

const create = (options: Partial<TraceFilterOptions> = {}) =>
  createTraceFilter({
    secrets: ["hunter22", "hunter2", "p@ss\nword", "größe"],
    tokenPrefixes: jobTokenPrefixes([], true),
    timestamps: false,
    stream: "01O",
    now: () => Date.UTC(2026, 1, 3, 4, 5, 6, 7),
    ...options,
  });

test.each([
  ["C43 a secret over writes, its line stamped", "my hunt|er22!\n", [" my [MASKED]!\n"]],
  ["C44 a token", "glrt-|abc\n", [" glrt-[MASKED]\n"]],
  ["C45 a parameter's value", "x?private_token=a|b c\n", [" x?private_token=[MASKED] c\n"]],
  ["C46 each line is stamped", "a\nb|c\nd", [" a\n", " bc\n", " d\n"]],
  ["a secret over lines is masked before they are cut", "p@ss\n|word\n", [" [MASKED]\n"]],
  [
    "a secret that is a parameter's value",
    "?rss_token=hunter2&a=b\n",
    [" ?rss_token=[MASKED]&a=b\n"],
  ],
  [
    "a secret within a token hides the rest of it too",
    "glpat-ahunter2b c\n",
    [" glpat-[MASKED] c\n"],
  ],
  ["a prompt that may become a secret waits", "Your h|and\n", [" Your hand\n"]],
  ["a secret after a broken character", "\ufffdgröße\n", [" \ufffd[MASKED]\n"]],
  ["a progress bar", "10%\r|20%\r|\n", [" 10%\r\n", "+20%\r\n", "+\n"]],
])("%s", (_, writes, lines) => {
  expect(runText(create({ timestamps: true }), writes)).toBe(
    lines.map((line) => stamp + line).join(""),
  );
});

test("C46 without timestamps nothing is added", () => {
  expect(runText(create(), "a\nb|c\rd")).toBe("a\nbc\rd");
});

test("bytes that are not UTF-8 become U+FFFD, before and within what is masked", () => {
  const bytes = Uint8Array.from([0xff, ...bytesOf("hunter2"), 0xe2, 0x9c, 0x0a]);
  expect(textOf(runBytes(create(), [bytes]))).toBe("\ufffd[MASKED]\ufffd\ufffd\n");
});

test("a Buffer is taken as the bytes it is a view of", () => {
  const whole = Buffer.from("xx hunter22 yy");
  expect(textOf(create().write(whole.subarray(3, 11)))).toBe("[MASKED]");
});

test("a filter can go on after close", () => {
  const filter = create({ timestamps: true });
  expect(runText(filter, "hunt")).toBe(`${stamp} hunt\n`);
  expect(runText(filter, "er2\n")).toBe(`${stamp} er2\n`);
});

const parts = [
  "a",
  "b",
  " ",
  "\n",
  "\r",
  "?",
  "&",
  "=",
  "-",
  "_",
  "[",
  "]",
  "é",
  "h",
  "hunter2",
  "hunter22",
  "p@ss\nword",
  "größe",
  "glpat-",
  "gldt-x.y",
  "?private_token=",
  "&X-Amz-Signature=",
  "hunter2glpat-",
  "[MASKED]",
].map(bytesOf);

test.each([1, 2, 3])(
  "however a stream is cut, nothing is lost, doubled or masked otherwise (%i)",
  (seed) => {
    const random = seededRandom(seed * 104_729);
    const [plain, stamping] = [create(), create({ timestamps: true })];
    for (let round = 0; round < 120; round++) {
      const bytes = Uint8Array.from(
        Array.from({ length: below(random, 30) }, () =>
          random() < 0.05 ? [0x80 + below(random, 128)] : [...pick(random, parts)],
        ).flat(),
      );
      const whole = textOf(runBytes(plain, [bytes]));
      expect(whole).not.toMatch(/hunter2|größe|p@ss\nword/);
      const writes = cutAtRandom(random, bytes, 1 + below(random, 12));
      const again = textOf(runBytes(plain, writes));
      expect({ bytes, text: again }).toEqual({ bytes, text: whole });
      const lines = unstamped(textOf(runBytes(stamping, writes)));
      const ended = whole === "" || whole.endsWith("\n") ? whole : `${whole}\n`;
      expect({ bytes, text: lines }).toEqual({ bytes, text: ended });
    }
  },
);

/** The text a reader puts together from stamped lines. */
function unstamped(text: string): string {
  let out = "";
  for (const line of text.split("\n").slice(0, -1)) {
    expect(line.slice(0, 31)).toBe(stamp);
    if (line[31] === "+") out = out.slice(0, -1);
    out += `${line.slice(32)}\n`;
  }
  return out;
}

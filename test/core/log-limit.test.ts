import { expect, test } from "vitest";
import { concatBytes, noBytes } from "../../src/core/byte-filter.ts";
import { createLogLimit, defaultLogLimitBytes } from "../../src/core/log-limit.ts";
import { bytesOf, textOf } from "./filter-runs.ts";

const notice = (limit: number) =>
  `\n\x1b[33;1mJob's log exceeded limit of ${limit} bytes.\n` +
  "Job execution will continue but no more output will be collected.\x1b[0;m\n";

function admitted(limitBytes: number, writes: readonly string[]) {
  const limit = createLogLimit(limitBytes);
  let kept = noBytes;
  for (const write of writes) kept = concatBytes(kept, limit.admit(bytesOf(write)));
  return { text: textOf(kept), dropped: limit.droppedBytes, exceeded: limit.exceeded };
}

test.each([
  ["below the limit everything stays", ["abc", "def"], "abcdef", 0],
  ["a log as long as the limit has not exceeded it", ["abcde", "fghij"], "abcdefghij", 0],
  ["C47 what is beyond the limit goes", ["abcdefghijkl"], `abcdefghij${notice(10)}`, 2],
  [
    "C47 the notice comes once, and nothing after it",
    ["abcdefgh", "ijklm", "n", "Job succeeded"],
    `abcdefghij${notice(10)}`,
    17,
  ],
  [
    "C47 the first byte beyond brings the notice",
    ["abcdefghij", "k"],
    `abcdefghij${notice(10)}`,
    1,
  ],
  ["C47 no character is cut", ["abcdefgh✓", "z"], `abcdefgh${notice(10)}`, 4],
  ["C47 a character of four bytes", ["abcdefg😀"], `abcdefg${notice(10)}`, 4],
  ["C47 a character that just fits", ["abcdefg✓x"], `abcdefg✓${notice(10)}`, 1],
])("%s", (_, writes, text, dropped) => {
  expect(admitted(10, writes)).toEqual({ text, dropped, exceeded: dropped > 0 });
});

test("bytes that are no text are cut at the limit", () => {
  const kept = createLogLimit(10).admit(new Uint8Array(20).fill(0x80));
  expect(kept.length).toBe(10 + bytesOf(notice(10)).length);
});

test("within the limit a write comes out as the same memory", () => {
  const chunk = bytesOf("line\n");
  expect(createLogLimit(100).admit(chunk)).toBe(chunk);
});

test("the default is 4096 KiB", () => {
  expect(defaultLogLimitBytes).toBe(4_194_304);
});

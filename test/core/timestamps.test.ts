import { expect, test } from "vitest";
import { createTimestamps } from "../../src/core/timestamps.ts";
import { bytesOf, runText, textOf } from "./filter-runs.ts";

const start = Date.UTC(2024, 4, 22, 12, 43, 46, 962);
const stamp = "2024-05-22T12:43:46.962000Z 01O";

const stamped = (writes: string, stream = "01O") =>
  runText(
    createTimestamps(stream, () => start),
    writes,
  );

test.each([
  ["C46 a line", "hello\n", [" hello\n"]],
  ["C46 several lines of one write", "a\n\nb\n", [" a\n", " \n", " b\n"]],
  ["a line of several writes", "a spl|it |line\n", [" a split line\n"]],
  ["a line with no end", "the end", [" the end\n"]],
  ["the end of one line and the beginning of the next", "a|b\nc|d\n", [" ab\n", " cd\n"]],
  ["nothing", "||", []],
  ["a \\r\\n stays", "windows\r\nline\r\n", [" windows\r\n", " line\r\n"]],
  [
    "a \\r without a \\n is written at once",
    "10%\r|20%\r|done\n",
    [" 10%\r\n", "+20%\r\n", "+done\n"],
  ],
  [
    "with what waited before it",
    "Progress: |.\r|.\r|Done.\r\nNext\n",
    [" Progress: .\r\n", "+.\r\n", "+Done.\r\n", " Next\n"],
  ],
  [
    "the whole write, not only up to the \\r",
    "mark\r\x1b[0K|next\n",
    [" mark\r\x1b[0K\n", "+next\n"],
  ],
  ["a \\r after the last line of a write", "a\nb\rc|d\n", [" a\n", " b\rc\n", "+d\n"]],
  ["a \\r in a line that has its end is nothing special", "a\rb\nc|d\n", [" a\rb\n", " cd\n"]],
  ["nothing is added where a \\r was the end", "a\r", [" a\r\n"]],
  ["an empty line goes on with the one before", "a\r|\nb\n", [" a\r\n", "+\n", " b\n"]],
])("%s", (_, writes, lines) => {
  expect(stamped(writes)).toBe(lines.map((line) => stamp + line).join(""));
});

test("C46 a line's prefix has 32 bytes: time, stream, flag", () => {
  expect(stamped("Running with gitlab-runner ...\n", "00O")).toBe(
    "2024-05-22T12:43:46.962000Z 00O Running with gitlab-runner ...\n",
  );
  expect(stamped("", "0fE")).toBe("");
  expect(stamped("\n", "0fE")).toHaveLength(33);
});

test("a line of more than 8 KiB is written before its end", () => {
  const long = ".".repeat(8 * 1024);
  expect(stamped(`begin|${long}|${long}.|end\nnext\n`)).toBe(
    `${stamp} begin${long}\n${stamp}+${long}.\n${stamp}+end\n${stamp} next\n`,
  );
});

test("a line of 8 KiB waits for its end", () => {
  const long = ".".repeat(8 * 1024);
  expect(stamped(`${long}|end\n`)).toBe(`${stamp} ${long}end\n`);
});

test("a long line that comes with its end is one line", () => {
  const long = ".".repeat(300_000);
  expect(stamped(`a\n${long}\nb\n`)).toBe(`${stamp} a\n${stamp} ${long}\n${stamp} b\n`);
});

test("an endless line is cut again and again, and every byte of it is there once", () => {
  const filter = createTimestamps("01O", () => start);
  const pieces: string[] = [];
  for (let round = 0; round < 3000; round++) {
    pieces.push(textOf(filter.write(bytesOf(String(round % 10).repeat(100)))));
  }
  const out = pieces.join("") + textOf(filter.close());
  const lines = out.split("\n").slice(0, -1);
  expect(lines.length).toBeGreaterThan(30);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(8 * 1024 + 200);
  expect(lines.map((line) => line[31]).join("")).toBe(` ${"+".repeat(lines.length - 1)}`);
  const expected = Array.from({ length: 3000 }, (_, round) => String(round % 10).repeat(100));
  expect(lines.map((line) => line.slice(32)).join("")).toBe(expected.join(""));
});

test("many short lines in one write", () => {
  expect(stamped("\n".repeat(70_000))).toBe(`${stamp} \n`.repeat(70_000));
});

test("a line has the time of its first byte, and a fraction of a millisecond shows", () => {
  let now = Date.UTC(2026, 0, 1, 0, 0, 0, 5) + 0.25;
  const filter = createTimestamps("00O", () => now);
  expect(filter.write(bytesOf("wait "))).toHaveLength(0);
  now += 60_000;
  expect(textOf(filter.write(bytesOf("a minute\nnext\n")))).toBe(
    "2026-01-01T00:00:00.005250Z 00O wait a minute\n2026-01-01T00:01:00.005250Z 00O next\n",
  );
});

test("after close the stream begins afresh", () => {
  const filter = createTimestamps("01O", () => start);
  expect(runText(filter, "a\r")).toBe(`${stamp} a\r\n`);
  expect(filter.close()).toHaveLength(0);
  expect(runText(filter, "b")).toBe(`${stamp} b\n`);
});

test("what came out before is not overwritten by the next write", () => {
  const filter = createTimestamps("01O", () => start);
  const first = filter.write(bytesOf("first\n"));
  filter.write(bytesOf("second\n"));
  expect(textOf(first)).toBe(`${stamp} first\n`);
});

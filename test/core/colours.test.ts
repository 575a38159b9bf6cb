import { expect, test } from "vitest";
import { errorLine, infoLine, plainLine, warningLine } from "../../src/core/colours.ts";

test.each([
  ["a plain line", plainLine, "\x1b[0Ktext\x1b[0;m\n"],
  ["an info line is bold green", infoLine, "\x1b[32;1mtext\x1b[0;m\n"],
  ["a warning is yellow and says so", warningLine, "\x1b[0;33mWARNING: text\x1b[0;m\n"],
  ["an error is bold red and says so", errorLine, "\x1b[31;1mERROR: text\x1b[0;m\n"],
])("%s", (_, line, expected) => {
  expect(line("text")).toBe(expected);
});

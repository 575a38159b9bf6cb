import { expect, test } from "vitest";
import { isExportable, shellQuote } from "../../src/core/shell-quote.ts";
import { runProgram, shells } from "./run-shell.ts";

const torture: readonly string[] = [
  "",
  "plain",
  "it's",
  "''",
  "'",
  '"double"',
  "back\\slash \\n \\' \\",
  "$HOME `id` $(id) ${x}",
  "two\nlines\n",
  "\ttab\rreturn",
  "!history *glob? [a] ~ #x ;|&<>(){}",
  "ünïcödé 漢字 🚀",
  "\x01\x1b[31m\x7f",
  "-n",
  "%s %d %%",
];

test.each(shells)("$name takes a quoted word for what it is", async (shell) => {
  const program = torture.map((text) => `printf '%s\\0' ${shellQuote(text)}`).join("\n");
  const { output, status } = await runProgram(shell, program);
  expect(status).toBe(0);
  expect(output.split("\0").slice(0, -1)).toEqual(torture);
});

test("NUL, which no shell can hold, is dropped", () => {
  expect(shellQuote("a\0b")).toBe("'ab'");
});

test.each([
  ["A", true],
  ["_a1", true],
  ["1A", false],
  ["A-B", false],
  ["A.B", false],
  ["", false],
  ["A B", false],
  ["É", false],
  ["A\n", false],
  ["UID", false],
  ["PPID", false],
  ["SHELLOPTS", false],
])("whether a shell can export %j: %s", (name, exportable) => {
  expect(isExportable(name)).toBe(exportable);
});

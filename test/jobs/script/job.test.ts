import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace } = await runFolder(import.meta.url);

test("before_script and script are one shell: variables and the folder carry over", () => {
  expect(job("one shell").status).toBe("success");
  expect(trace("one shell")).toContain("\nhello from folder\n");
});

test("every command is shown before it runs, several lines by their first", () => {
  const text = trace("one shell");
  expect(text).toContain('\n$ echo "$word from $(basename "$PWD")"\nhello from folder\n');
  expect(text).toContain(
    "\n$ for n in one two; do # collapsed multi-line command\nloop one\nloop two\n",
  );
  expect(job("one shell").trace().toString()).toContain("\u001B[32;1m$ word=hello\u001B[0;m\n");
});

test("commands reach the shell as they are written, backslashes and blanks included", () => {
  const shown = "$ echo 'a \\n stays' && printf '%s\\n' \"  $GREETING  \"";
  expect(trace("one shell")).toContain(`\n${shown}\na \\n stays\n  two  blanks  \n`);
});

test("a blank entry is a blank line, and output without a line end is not lost", () => {
  const text = trace("one shell");
  expect(text).toContain("loop two\n\n$ echo");
  expect(text).toContain("\nno line end\n");
});

test("the first command that fails ends the script", () => {
  const text = trace("first failure ends it");
  expect(text).toContain("\nbefore\n");
  expect(text).not.toContain("never");
  expect(job("first failure ends it")).toMatchObject({ status: "failed", exitCode: 2 });
});

test("a script has no input: whoever reads finds the end, and does not wait", () => {
  expect(job("no input").status).toBe("success");
  expect(trace("no input")).toContain("nothing to read");
});

test("stdout and stderr arrive in the order in which they were written", () => {
  const printed = "out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n";
  expect(trace("streams in order")).toContain(`\n${printed}`);
  expect(trace("streams in order")).toContain("\n$ echo 'again' > /dev/stderr\nagain\n");
});

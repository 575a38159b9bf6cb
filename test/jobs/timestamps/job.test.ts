import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace } = await runFolder(import.meta.url);
const text = (name: string) => job(name).trace().toString();

test("C46 every line has the prefix of 32 characters, the runner's own as stream 00, scripts as 01", () => {
  const lines = text("stamped").split("\n").slice(0, -1);
  const prefix = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z 0[01]O[ +]/;
  expect(lines.filter((line) => !prefix.test(line))).toEqual([]);
  expect(lines.find((line) => line.endsWith("Job succeeded\u001B[0;m"))?.slice(28, 31)).toBe("00O");
  expect(lines.find((line) => line.endsWith(" two"))?.slice(28, 32)).toBe("01O ");
});

test("C46 a line that comes in pieces, or is very long, goes on after a +", () => {
  const pieces = text("stamped")
    .split("\n")
    .filter((line) => line[31] === "+");
  expect(pieces.some((line) => line.endsWith("30%"))).toBe(true);
  expect(pieces.some((line) => line.endsWith("xxxx"))).toBe(true);
  expect(trace("stamped")).toContain(`\n${"x".repeat(20_000)}\n`);
  expect(trace("stamped")).toContain("\n10%\r20%\r30%\n");
});

test("FF_TIMESTAMPS=false leaves the lines as they are, and is named at the top", () => {
  expect(text("plain")).toContain("\none\ntwo\n");
  expect(text("plain")).not.toMatch(/^\d{4}-\d\d-\d\dT/m);
  expect(text("plain")).toContain("feature flags: FF_TIMESTAMPS:false");
});

test("FF_SCRIPT_SECTIONS folds a command of several lines, all of them to be read", () => {
  expect(text("plain")).not.toContain("section_script_step");
  expect(text("folded")).toMatch(
    /section_start:\d+:section_script_step_3\[[^\]]*collapsed=true[^\]]*\]\r/,
  );
  expect(trace("folded")).toContain('$ echo "several"\necho "lines"\n');
  expect(text("folded")).toMatch(/section_end:\d+:section_script_step_3\r/);
});

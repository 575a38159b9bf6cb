import { expect, test } from "vitest";
import { scriptTimeouts } from "../../src/core/script-timeouts.ts";
import { jobVariables } from "../../src/core/variables.ts";

const hour = 3_600_000;

function read(script: string, afterScript = "") {
  const entries = [
    { key: "RUNNER_SCRIPT_TIMEOUT", value: script },
    { key: "RUNNER_AFTER_SCRIPT_TIMEOUT", value: afterScript },
  ];
  return scriptTimeouts(jobVariables(entries, { tempDir: "/t" }), hour);
}

test("a script has the job's limit only, an after_script five minutes", () => {
  expect(read("")).toEqual({ scriptMs: undefined, afterScriptMs: 300_000, warnings: [] });
});

test("both may be set, as Go durations", () => {
  expect(read("30m", "1m30s")).toEqual({
    scriptMs: 1_800_000,
    afterScriptMs: 90_000,
    warnings: [],
  });
});

test("0 is no limit", () => {
  expect(read("0", "0s")).toEqual({ scriptMs: undefined, afterScriptMs: undefined, warnings: [] });
});

test("more than the job has left is cut to that, with a warning", () => {
  const { scriptMs, warnings } = read("2h");
  expect(scriptMs).toBe(hour);
  expect(warnings).toEqual([
    "RUNNER_SCRIPT_TIMEOUT is longer than the job's own timeout, which stays the limit",
  ]);
});

test.each(["-5m", "5", "soon"])("%s is ignored with a warning", (text) => {
  const { scriptMs, afterScriptMs, warnings } = read(text, text);
  expect([scriptMs, afterScriptMs]).toEqual([undefined, 300_000]);
  expect(warnings).toHaveLength(2);
  expect(warnings[0]).toContain("RUNNER_SCRIPT_TIMEOUT is ignored");
});

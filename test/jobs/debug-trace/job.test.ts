import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const traced = await runFolder(import.meta.url);
const disabled = await runFolder(import.meta.url, { settings: { debug_trace_disabled: true } });

test("CI_DEBUG_TRACE shows every command as the shell runs it, in after_script too", () => {
  expect(traced.trace("traced")).toMatch(/\n\++ word=hello\n/);
  expect(traced.trace("traced")).toMatch(/\n\++ echo 'hello \[MASKED\]'\n/);
  expect(traced.trace("traced")).toMatch(/\n\++ echo after\n/);
});

test("the exports that it shows are masked", () => {
  expect(traced.trace("traced")).toMatch(/\n\++ export '?CI_JOB_TOKEN=\[MASKED\]/);
  const text = traced.job("traced").trace().toString();
  expect(text).not.toContain(traced.job("traced").token);
});

test("GitLab hears of it with the first bytes, so that it can hide such a log", () => {
  const [first] = traced.requests("traced", "PATCH");
  expect(first?.query).toEqual({ debug_trace: "true" });
  expect(first?.headers["content-range"]).toMatch(/^0-/);
  expect(traced.job("traced").debugTrace).toBe(true);
});

test("debug_trace_disabled switches it off, and says so", () => {
  expect(disabled.trace("traced")).not.toMatch(/\n\++ word=hello\n/);
  expect(disabled.trace("traced")).toContain(
    "\nWARNING: CI_DEBUG_TRACE is switched off in this runner's settings",
  );
  expect(disabled.job("traced").debugTrace).toBe(false);
});

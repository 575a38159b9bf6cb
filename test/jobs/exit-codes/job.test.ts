import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace, requests } = await runFolder(import.meta.url);

test("C50 exit 3 in a script is told to GitLab, and a failing after_script changes nothing", () => {
  const failed = { status: "failed", failureReason: "script_failure", exitCode: 3 };
  expect(job("exit 3")).toMatchObject(failed);
  expect(trace("exit 3")).toContain("\nafter a job that has failed\n");
  expect(trace("exit 3")).toContain("WARNING: after_script failed, but job will continue");
  expect(trace("exit 3")).toMatch(/\nERROR: Job failed: exit code 3\n$/);
});

test("C41 a good job's last update has neither an exit code nor a reason", () => {
  const last: unknown = JSON.parse(requests("errexit off", "PUT").at(-1)?.body?.toString() ?? "");
  expect(last).toMatchObject({ state: "success" });
  expect(last).not.toHaveProperty("exit_code");
  expect(last).not.toHaveProperty("failure_reason");
});

test("the exit status of a subshell is the script's", () => {
  expect(job("in a subshell")).toMatchObject({ status: "failed", exitCode: 5 });
});

test("C51 a pipe fails with any of its parts where the shell knows pipefail", () => {
  const bash = ["/usr/local/bin/bash", "/usr/bin/bash", "/bin/bash"].some(existsSync);
  expect(job("pipe").status).toBe(bash ? "failed" : "success");
  expect(trace("pipe").includes("\nthe pipe passed\n")).toBe(!bash);
});

test("a script may switch errexit off, unless FF_ENABLE_BASH_EXIT_CODE_CHECK looks at every command", () => {
  expect(job("errexit off").status).toBe("success");
  expect(trace("errexit off")).toContain("\nwent on\n");
  expect(job("checked anyway")).toMatchObject({ status: "failed", exitCode: 6 });
});

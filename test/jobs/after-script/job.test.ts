import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace } = await runFolder(import.meta.url);

test("after_script is a shell of its own, in the project's folder, and finds the script's files", () => {
  const text = trace("own shell");
  expect(text).toContain("\nRunning after_script\nRunning after script...\n");
  expect(text).toContain("\nvariables [] in after-script\n");
  expect(text).toContain("\nfrom the script\n");
});

test("CI_JOB_STATUS is running in the script, and in after_script what became of it", () => {
  expect(trace("fails")).toContain("\nstatus running\n");
  expect(trace("own shell")).toContain("\nstatus success\n");
  expect(trace("script leaves by itself")).toContain("\nstatus failed\n");
});

test("an after_script that fails ends there with a warning, and the job stays green", () => {
  expect(job("fails").status).toBe("success");
  expect(trace("fails")).not.toContain("\nnever\n");
  expect(trace("fails")).toContain(
    "\nWARNING: after_script failed, but job will continue unaffected",
  );
  expect(trace("fails")).toContain("\nJob succeeded\n");
});

test("AFTER_SCRIPT_IGNORE_ERRORS=false makes the job fail with its after_script", () => {
  const failed = { status: "failed", failureReason: "script_failure", exitCode: 7 };
  expect(job("fails and counts")).toMatchObject(failed);
});

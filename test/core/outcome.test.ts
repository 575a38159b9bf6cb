import { expect, test } from "vitest";
import {
  canceled,
  closingLine,
  finalUpdate,
  jobOutcome,
  jobStatus,
  scriptOutcome,
  scriptsOutcome,
  success,
} from "../../src/core/outcome.ts";
import type { Outcome } from "../../src/core/outcome.ts";

const modern = ["runner_configuration_error", "runner_interrupted", "image_pull_failure"];
const timedOut: Outcome = { kind: "timed_out", limitMs: 3_600_000 };
const system: Outcome = {
  kind: "failed",
  reason: "runner_system_failure",
  message: "the disk is full",
};
const configuration: Outcome = {
  kind: "failed",
  reason: "runner_configuration_error",
  message: "the image has no shell",
};
const interrupted: Outcome = {
  kind: "failed",
  reason: "runner_interrupted",
  message: "the runner was told to stop",
};

test.each<[string, Outcome, readonly string[], unknown]>([
  ["C41 a success has neither reason nor exit code", success, modern, { state: "success" }],
  [
    "C50 exit 3 in a script is a script_failure with exit code 3",
    scriptOutcome(3),
    [],
    { state: "failed", failure_reason: "script_failure", exit_code: 3 },
  ],
  [
    "C41 an exit code of 0 is not sent",
    { kind: "failed", reason: "script_failure", exitCode: 0, message: "" },
    [],
    { state: "failed", failure_reason: "script_failure" },
  ],
  [
    "a failure of ours has no exit code",
    system,
    [],
    { state: "failed", failure_reason: "runner_system_failure" },
  ],
  [
    "C42 a reason that GitLab lists is sent as it is",
    configuration,
    modern,
    { state: "failed", failure_reason: "runner_configuration_error" },
  ],
  [
    "C42 a reason that GitLab does not list is sent as the nearest it knows",
    configuration,
    [],
    { state: "failed", failure_reason: "script_failure" },
  ],
  [
    "a timeout is job_execution_timeout",
    timedOut,
    [],
    { state: "failed", failure_reason: "job_execution_timeout" },
  ],
  [
    "C38 a canceled job is sent as failed with unknown_failure",
    canceled,
    ["job_canceled"],
    { state: "failed", failure_reason: "unknown_failure" },
  ],
])("%s", (_rule, outcome, known, update) => {
  expect(finalUpdate(outcome, known)).toEqual(update);
});

test.each<[string, Outcome, string, string]>([
  ["a success", success, "info", "Job succeeded"],
  ["a failed script", scriptOutcome(127), "error", "Job failed: exit code 127"],
  ["a failure of the system", system, "error", "Job failed (system failure): the disk is full"],
  ["a failure with a reason", interrupted, "error", "Job failed: the runner was told to stop"],
  ["a cancel", canceled, "error", "Job failed: canceled"],
  ["a timeout", timedOut, "error", "Job failed: execution took longer than 1h0m0s seconds"],
])("the log of %s ends as GitLab's users know it", (_rule, outcome, level, text) => {
  expect(closingLine(outcome)).toEqual({ level, text });
});

test.each<[Outcome, string]>([
  [success, "success"],
  [scriptOutcome(1), "failed"],
  [canceled, "canceled"],
  [timedOut, "timedout"],
])("after_script finds CI_JOB_STATUS for %o", (outcome, status) => {
  expect(jobStatus(outcome)).toBe(status);
});

test("a script that ends with 0 is a success", () => {
  expect(scriptOutcome(0)).toEqual(success);
});

test.each<[string, Parameters<typeof jobOutcome>[0], Outcome]>([
  ["nothing where all went well", { script: success, artifactUpload: success }, success],
  [
    "the script's failure before all others",
    { script: scriptOutcome(2), cacheArchive: system, artifactUpload: scriptOutcome(1) },
    scriptOutcome(2),
  ],
  [
    "the cache archive's failure before the upload's",
    { script: success, cacheArchive: system, artifactUpload: scriptOutcome(1) },
    system,
  ],
  [
    "C53 the upload's failure in a job that was good so far",
    { script: success, artifactUpload: scriptOutcome(1) },
    scriptOutcome(1),
  ],
])("a job reports %s", (_rule, parts, outcome) => {
  expect(jobOutcome(parts)).toEqual(outcome);
});

test.each<[string, Outcome, Outcome, boolean, Outcome]>([
  ["C50 changes nothing in a good job", success, scriptOutcome(4), true, success],
  ["changes nothing in a failed job", scriptOutcome(3), scriptOutcome(4), true, scriptOutcome(3)],
  ["counts where the job wants it", success, scriptOutcome(4), false, scriptOutcome(4)],
  ["never hides the script", scriptOutcome(3), success, false, scriptOutcome(3)],
])("after_script's failure %s", (_rule, script, afterScript, ignored, outcome) => {
  expect(scriptsOutcome(script, afterScript, ignored)).toEqual(outcome);
});

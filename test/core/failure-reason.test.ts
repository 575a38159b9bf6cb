import { expect, test } from "vitest";
import { failureReasons, wireReason } from "../../src/core/failure-reason.ts";
import type { FailureReason } from "../../src/core/failure-reason.ts";

test.each<[FailureReason, FailureReason]>([
  ["script_failure", "script_failure"],
  ["runner_system_failure", "runner_system_failure"],
  ["job_execution_timeout", "job_execution_timeout"],
  ["image_pull_failure", "runner_system_failure"],
  ["runner_configuration_error", "script_failure"],
  ["runner_external_dependency_failure", "runner_system_failure"],
  ["runner_interrupted", "unknown_failure"],
  ["unknown_failure", "unknown_failure"],
  ["job_canceled", "unknown_failure"],
])("C42 a GitLab that lists no reasons hears of %s as %s", (reason, wire) => {
  expect(wireReason(reason, [])).toBe(wire);
});

test.each(failureReasons.filter((reason) => reason !== "job_canceled"))(
  "C42 a GitLab that lists %s hears of it as it is",
  (reason) => {
    expect(wireReason(reason, [reason, "stuck_or_timeout_failure"])).toBe(reason);
  },
);

test("job_canceled is ours alone, whatever GitLab lists", () => {
  expect(wireReason("job_canceled", ["job_canceled"])).toBe("unknown_failure");
});

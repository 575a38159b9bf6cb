import { expect, test } from "vitest";
import { stagesAfter } from "../../src/core/later-stages.ts";
import type { Ending } from "../../src/core/later-stages.ts";

const success = ["archive_cache", "upload_artifacts_on_success", "cleanup_file_variables"];
const failure = [
  "archive_cache_on_failure",
  "upload_artifacts_on_failure",
  "cleanup_file_variables",
];

test.each<[string, Ending, readonly string[]]>([
  ["after a good script all follows", "script_succeeded", ["after_script", ...success]],
  [
    "after a failed script the failure variants follow",
    "script_failed",
    ["after_script", ...failure],
  ],
  [
    "C62 after RUNNER_SCRIPT_TIMEOUT after_script and uploads run",
    "script_timed_out",
    ["after_script", ...failure],
  ],
  [
    "C38 a graceful cancel still runs after_script and keeps what failed jobs keep",
    "script_canceled",
    ["after_script", ...failure],
  ],
  ["without sources there is no after_script, but failure uploads", "get_sources_failed", failure],
  ["the same without the cache", "restore_cache_failed", failure],
  ["C56 the same without the artifacts of earlier jobs", "download_artifacts_failed", failure],
  ["without a place to run nothing follows", "prepare_failed", []],
  ["nothing follows a timeout of get_sources", "get_sources_timed_out", []],
  ["a cancel before the script cancels everything", "canceled_before_script", []],
  ["C62 nothing follows the job's own timeout", "job_timed_out", []],
  ["C37 nothing follows an abort", "aborted", []],
  ["nothing follows when the runner is told to stop", "interrupted", []],
])("%s", (_rule, ending, stages) => {
  expect(stagesAfter(ending)).toEqual(stages);
});

// What of a job still runs once its scripts ended, or something before them did: GitLab Runner's rules
// as one table.

/** Names are those of the log's sections. */
export type LaterStage =
  | "after_script"
  | "archive_cache"
  | "archive_cache_on_failure"
  | "upload_artifacts_on_success"
  | "upload_artifacts_on_failure"
  | "cleanup_file_variables";

/** How the part up to and including the scripts ended. */
export type Ending =
  | "script_succeeded"
  | "script_failed"
  /** RUNNER_SCRIPT_TIMEOUT. */
  | "script_timed_out"
  /** GitLab said `canceling` while the scripts ran. */
  | "script_canceled"
  | "get_sources_failed"
  | "restore_cache_failed"
  | "download_artifacts_failed"
  /** Secrets, executor, environment: there is nowhere to run anything. */
  | "prepare_failed"
  | "get_sources_timed_out"
  /** GitLab said `canceling` before the scripts began. */
  | "canceled_before_script"
  /** The job's own limit is over. */
  | "job_timed_out"
  /** GitLab said `canceled`, or knows the job no more. */
  | "aborted"
  /** This runner was told to stop. */
  | "interrupted";

const failure = [
  "archive_cache_on_failure",
  "upload_artifacts_on_failure",
  "cleanup_file_variables",
] as const;
const success = ["archive_cache", "upload_artifacts_on_success", "cleanup_file_variables"] as const;

const table: Readonly<Record<Ending, readonly LaterStage[]>> = {
  script_succeeded: ["after_script", ...success],
  script_failed: ["after_script", ...failure],
  script_timed_out: ["after_script", ...failure],
  script_canceled: ["after_script", ...failure],
  get_sources_failed: failure,
  restore_cache_failed: failure,
  download_artifacts_failed: failure,
  prepare_failed: [],
  get_sources_timed_out: [],
  canceled_before_script: [],
  job_timed_out: [],
  aborted: [],
  interrupted: [],
};

/** In order. File variables are deleted in any case, with or without a stage for it. */
export function stagesAfter(ending: Ending): readonly LaterStage[] {
  return table[ending];
}

// The reasons a runner may give GitLab for a failed job, and what an older GitLab hears instead.

export const failureReasons = [
  "script_failure",
  "runner_system_failure",
  "job_execution_timeout",
  "image_pull_failure",
  "runner_configuration_error",
  "runner_external_dependency_failure",
  "runner_interrupted",
  "unknown_failure",
  "job_canceled",
] as const;

export type FailureReason = (typeof failureReasons)[number];

/** Reasons every GitLab knows, whether or not it lists them. */
const alwaysKnown: ReadonlySet<FailureReason> = new Set([
  "script_failure",
  "runner_system_failure",
  "job_execution_timeout",
]);

const fallbacks: Partial<Record<FailureReason, FailureReason>> = {
  image_pull_failure: "runner_system_failure",
  runner_configuration_error: "script_failure",
  runner_external_dependency_failure: "runner_system_failure",
  runner_interrupted: "unknown_failure",
};

/**
 * The reason to put on the wire: `reason` where the server lists it in `features.failure_reasons`,
 * else the nearest one that it understands. `job_canceled` is ours alone and never sent.
 */
export function wireReason(reason: FailureReason, known: readonly string[]): FailureReason {
  if (reason === "job_canceled") return "unknown_failure";
  if (alwaysKnown.has(reason) || known.includes(reason)) return reason;
  return fallbacks[reason] ?? "unknown_failure";
}

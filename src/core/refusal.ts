// A job that this runner will not start. The message is for the job's author: what, why, what instead.

import type { FailureReason } from "./failure-reason.ts";

export interface Refusal {
  readonly kind: "refusal";
  readonly reason: FailureReason;
  readonly message: string;
  /** What GitLab is told as the exit code, where a rule of its own asks for one. */
  readonly exitCode?: number;
}

/** Trying again changes nothing, so by default not a system failure, which `retry:` would repeat. */
export function refusal(
  message: string,
  reason: FailureReason = "runner_configuration_error",
  exitCode?: number,
): Refusal {
  return { kind: "refusal", reason, message, ...(exitCode === undefined ? {} : { exitCode }) };
}

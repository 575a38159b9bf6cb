// How a job, or a part of it, ended, and what follows from that: GitLab's final update, the last line
// of the log, CI_JOB_STATUS, and which of several failures is the one to tell.

import { wireReason } from "./failure-reason.ts";
import type { FailureReason } from "./failure-reason.ts";
import { formatDurationMs } from "./go-duration.ts";

export type Outcome =
  | { readonly kind: "success" }
  | {
      readonly kind: "failed";
      readonly reason: FailureReason;
      /** Status of the script (or of a stage that counts as one) that failed. */
      readonly exitCode?: number;
      /** What to tell where there is no exit code. */
      readonly message: string;
    }
  /** The job's limit, or that of a script or stage, is over. */
  | { readonly kind: "timed_out"; readonly limitMs: number }
  /** Somebody canceled the job in GitLab. */
  | { readonly kind: "canceled" };

export const success: Outcome = { kind: "success" };
export const canceled: Outcome = { kind: "canceled" };

/** A script ended with this status. */
export function scriptOutcome(exitCode: number): Outcome {
  if (exitCode === 0) return success;
  return { kind: "failed", reason: "script_failure", exitCode, message: exitCodeText(exitCode) };
}

export interface FinalUpdate {
  readonly state: "success" | "failed";
  readonly failure_reason?: FailureReason;
  readonly exit_code?: number;
}

/** `knownReasons` is the payload's `features.failure_reasons`. */
export function finalUpdate(outcome: Outcome, knownReasons: readonly string[]): FinalUpdate {
  if (outcome.kind === "success") return { state: "success" };
  const failure_reason = wireReason(reasonOf(outcome), knownReasons);
  const exitCode = outcome.kind === "failed" ? (outcome.exitCode ?? 0) : 0;
  return { state: "failed", failure_reason, ...(exitCode === 0 ? {} : { exit_code: exitCode }) };
}

/** For `JobLog.info` or `JobLog.error`, which add colour and `ERROR: `. */
export interface ClosingLine {
  readonly level: "info" | "error";
  readonly text: string;
}

export function closingLine(outcome: Outcome): ClosingLine {
  switch (outcome.kind) {
    case "success":
      return { level: "info", text: "Job succeeded" };
    case "canceled":
      return { level: "error", text: "Job failed: canceled" };
    case "timed_out":
      return {
        level: "error",
        text: `Job failed: execution took longer than ${formatDurationMs(outcome.limitMs)} seconds`,
      };
    case "failed":
      return { level: "error", text: `Job failed${failure(outcome)}` };
  }
}

/** CI_JOB_STATUS as after_script sees it. */
export type JobStatus = "success" | "failed" | "canceled" | "timedout";

export function jobStatus(scriptOutcome: Outcome): JobStatus {
  return scriptOutcome.kind === "timed_out" ? "timedout" : scriptOutcome.kind;
}

/**
 * What the scripts count as together: after_script matters only where the job says so
 * (AFTER_SCRIPT_IGNORE_ERRORS=false), and never hides what the script did.
 */
export function scriptsOutcome(
  script: Outcome,
  afterScript: Outcome,
  ignoreAfterScriptErrors: boolean,
): Outcome {
  return script.kind === "success" && !ignoreAfterScriptErrors ? afterScript : script;
}

export interface PartOutcomes {
  /** The scripts', or of whatever failed before them. */
  readonly script: Outcome;
  readonly cacheArchive?: Outcome;
  readonly artifactUpload?: Outcome;
}

/** The first failure in the order of the parts. */
export function jobOutcome(parts: PartOutcomes): Outcome {
  const all = [parts.script, parts.cacheArchive ?? success, parts.artifactUpload ?? success];
  return all.find((part) => part.kind !== "success") ?? success;
}

function reasonOf(outcome: Exclude<Outcome, { kind: "success" }>): FailureReason {
  switch (outcome.kind) {
    case "failed":
      return outcome.reason;
    case "timed_out":
      return "job_execution_timeout";
    case "canceled":
      return "job_canceled";
  }
}

function failure(outcome: Extract<Outcome, { kind: "failed" }>): string {
  if (outcome.exitCode !== undefined) return `: ${exitCodeText(outcome.exitCode)}`;
  const system = outcome.reason === "runner_system_failure" ? " (system failure)" : "";
  return `${system}: ${outcome.message}`;
}

function exitCodeText(exitCode: number): string {
  return `exit code ${String(exitCode)}`;
}

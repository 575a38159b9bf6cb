// The few errors that are thrown. Expected outcomes are values (unions), not errors.
// A message says what was wrong and what to do; it never holds a token.

import type { FailureReason } from "./failure-reason.ts";

/** A job cannot go on. Carries what GitLab shall be told. */
export class RunnerError extends Error {
  override readonly name = "RunnerError";
  readonly reason: FailureReason;
  /** Exit status of the user's script, when that is what failed. */
  readonly exitCode: number | undefined;

  constructor(
    reason: FailureReason,
    message: string,
    options: { readonly exitCode?: number; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.reason = reason;
    this.exitCode = options.exitCode;
  }
}

/** Settings, arguments or environment are wrong: the fault of whoever set the runner up. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/** GitLab refused or could not be reached, and the call has no outcome of its own for that. */
export class GitLabError extends Error {
  override readonly name = "GitLabError";
  /** HTTP status; undefined when there was no answer at all. */
  readonly status: number | undefined;
  readonly retryable: boolean;

  constructor(
    message: string,
    options: {
      readonly status?: number | undefined;
      readonly retryable: boolean;
      readonly cause?: unknown;
    },
  ) {
    super(message, { cause: options.cause });
    this.status = options.status;
    this.retryable = options.retryable;
  }
}

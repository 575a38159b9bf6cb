// What the functions say while they work: one line for an event, and a number for what is to be counted.
// Only the types: lambdas/log.ts and lambdas/metrics.ts make them.

/** What belongs to a line, besides its message. Never a secret, nor a text that a job could have written one into. */
export interface EventFields {
  readonly job_id?: number | undefined;
  /** The claim's id. */
  readonly claim?: string | undefined;
  /** The project's full path. */
  readonly project?: string | undefined;
  readonly runner?: string | undefined;
  readonly reason?: string | undefined;
  readonly [field: string]: string | number | boolean | undefined;
}

export interface EventLog {
  info(message: string, fields?: EventFields): void;
  warn(message: string, fields?: EventFields): void;
  /** `cause` is shown with its name, message and stack; secrets are kept out of the messages of our own errors. */
  error(message: string, fields?: EventFields, cause?: unknown): void;
}

/** Our metrics, in namespace GitLabBurst: ten at most, by environment only. */
export const metricUnits = {
  ClaimedJobs: "Count",
  LaunchedTasks: "Count",
  LaunchFailures: "Count",
  FinishedJobs: "Count",
  FailedJobs: "Count",
  /** From RunTask's answer to the agent's start. */
  StartSeconds: "Seconds",
  /** From the claim to RunTask's answer. */
  QueueSeconds: "Seconds",
  OpenClaims: "Count",
  RunningVcpu: "Count",
  /**
   * Requests that GitLab refused for their token's sake, and each minute the runners that rest because of it. Mistakes
   * in settings are lines of the log, as errors.
   */
  TokenRefused: "Count",
} as const;

export type MetricName = keyof typeof metricUnits;

export interface Metering {
  /** Adds one value; it leaves with `publish`. */
  add(name: MetricName, value: number): void;
  /** At the end of every invocation. */
  publish(): void;
}

// What a runner of one machine says about its jobs, one event at a time.

export interface RunEvent {
  readonly event: "claimed" | "started" | "success" | "failed" | "canceled";
  readonly jobId: number;
  readonly project: string;
  readonly name: string;
  /** From the claim to the end; only on the last event of a job. */
  readonly durationSeconds?: number;
  readonly failureReason?: string;
}

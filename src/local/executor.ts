// What every executor of one machine offers: launch an agent for a job, hear from it, stop it.

import type { FailureReason } from "../core/failure-reason.ts";
import type { AgentReport, HandOff } from "../core/hand-off.ts";

/** What the executor knows of a job that could not be run to its end. */
export interface Trouble {
  readonly reason: FailureReason;
  readonly message: string;
  readonly exitCode?: number;
}

/** How an agent ended; the codes are `agentExit`'s. */
export type AgentExit =
  | {
      readonly kind: "exited";
      readonly code: number | null;
      readonly signal: string | null;
      /** Why, where the executor saw it. */
      readonly trouble?: Trouble | undefined;
    }
  | { readonly kind: "never-started"; readonly message: string };

export interface RunningJob {
  /** The agent's process on this machine, where it is one. */
  readonly agentPid: number | undefined;
  /** Resolves when the agent has ended and nothing of the job is left running. */
  readonly finished: Promise<AgentExit>;
  /** Ends the job early; the agent tells GitLab `runner_interrupted`. */
  interrupt(): void;
}

export interface Executor {
  readonly name: "process";
  /**
   * Starts a job. `notices` are for the head of its trace. `prepare` completes the hand-off with the folders that the executor made for it.
   * Throws when nothing could be started; then nothing of the job is left.
   */
  launch(
    jobId: number,
    prepare: (folders: { readonly control: string; readonly scratch: string }) => HandOff,
    notices: readonly string[],
    onReport: (report: AgentReport) => void,
  ): Promise<RunningJob>;
}

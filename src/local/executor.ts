// What every executor of one machine offers: launch an agent for a job, hear from it, stop it.

import type { FailureReason } from "../core/failure-reason.ts";
import type { AgentReport, HandOff } from "../core/hand-off.ts";
import type { TextMask } from "../core/job-mask.ts";
import type { TaskPlan } from "../core/task-plan.ts";

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

export interface Launch {
  readonly jobId: number;
  readonly projectId: number;
  readonly plan: TaskPlan;
  /** Completes the hand-off with what only the executor knows. */
  readonly prepare: (place: JobPlace) => HandOff;
  /** For the head of the job's trace. */
  readonly notices: readonly string[];
  /** Of the job's secrets: for what the executor quotes, before it cuts it. */
  readonly mask: TextMask;
  readonly onReport: (report: AgentReport) => void;
}

export interface JobPlace {
  readonly folders: HandOff["folders"];
  /** GitLab as the agent reaches it, where that is another address than ours. */
  readonly url?: string;
}

export interface Executor {
  readonly name: "process" | "docker";
  /** What the agent's container is made from; undefined where the agent is a process. */
  readonly agentImage: string | undefined;
  /** Starts a job. Throws when nothing could be started; then nothing of the job is left. */
  launch(launch: Launch): Promise<RunningJob>;
  /** Removes what an earlier run of ours left behind and nobody owns any more. */
  sweep(): Promise<void>;
}

// ECS in our words: the only place that knows its client and its errors.

import type { ECSClient } from "@aws-sdk/client-ecs";
import type { RunTaskRequest, TaskDefinition } from "../core/fargate-task.ts";
import type { RegisterReply, RunReply, TaskState } from "../core/task-state.ts";

export interface Tasks {
  run(request: RunTaskRequest): Promise<RunReply>;
  register(definition: TaskDefinition): Promise<RegisterReply>;
  /** Deregisters every revision of a family that was made for one job. */
  forget(family: string): Promise<void>;
  /** Also for tasks that are gone already. */
  stop(taskArn: string, reason: string): Promise<void>;
  /** Those that ECS still (or already) knows: right after its start a task may be missing. */
  describe(taskArns: readonly string[]): Promise<readonly TaskState[]>;
  /** ARNs of the tasks that somebody started under this claim's id, also of stopped ones. */
  startedBy(claimId: string): Promise<readonly string[]>;
  /** ARNs of all that should be running in our cluster. */
  running(): Promise<readonly string[]>;
}

export declare function createTasks(client: ECSClient, cluster: string): Tasks;

/** The `detail` of an "ECS Task State Change" event. Throws where it is none. */
export declare function taskOfEvent(detail: unknown): TaskState;

// ECS in our words: the only place that knows its client and its errors.

import {
  DeregisterTaskDefinitionCommand,
  DescribeTasksCommand,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  StopTaskCommand,
  paginateListTaskDefinitions,
  paginateListTasks,
} from "@aws-sdk/client-ecs";
import type { ECSClient, ListTasksCommandInput } from "@aws-sdk/client-ecs";
import type { RunTaskRequest, TaskDefinition } from "../core/fargate-task.ts";
import type { RegisterReply, RunReply, TaskState } from "../core/task-state.ts";
import { readTask } from "./task-reading.ts";
import { isUnknownTask, registerFailure, runFailure, runReply } from "./task-replies.ts";

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

/** Of one DescribeTasks. */
const mostTasks = 100;
/** A call that has heard nothing for so long has an unknown answer, and a function has better to do than wait. */
const silenceSeconds = 15;

export function createTasks(client: ECSClient, cluster: string): Tasks {
  return {
    run: async (request) => {
      try {
        // The client's own retries send the same client token, so that they start no second task.
        return runReply(await client.send(new RunTaskCommand(mutable(request)), patience()));
      } catch (error) {
        return runFailure(error);
      }
    },
    register: async (definition) => {
      try {
        await client.send(new RegisterTaskDefinitionCommand(mutable(definition)), patience());
        return { kind: "registered" };
      } catch (error) {
        return registerFailure(error);
      }
    },
    forget: async (family) => {
      const pages = paginateListTaskDefinitions({ client }, { familyPrefix: family });
      for await (const { taskDefinitionArns = [] } of pages) {
        for (const taskDefinition of taskDefinitionArns) {
          await client.send(new DeregisterTaskDefinitionCommand({ taskDefinition }));
        }
      }
    },
    stop: async (task, reason) => {
      try {
        await client.send(new StopTaskCommand({ cluster, task, reason: reason.slice(0, 255) }));
      } catch (error) {
        if (!isUnknownTask(error)) throw error;
      }
    },
    describe: async (taskArns) => {
      const all: TaskState[] = [];
      for (let from = 0; from < taskArns.length; from += mostTasks) {
        const tasks = taskArns.slice(from, from + mostTasks);
        const answer = await client.send(new DescribeTasksCommand({ cluster, tasks }));
        all.push(...(answer.tasks ?? []).map(readTask));
      }
      return all;
    },
    startedBy: async (claimId) => {
      const both = [
        await list(client, { cluster, startedBy: claimId, desiredStatus: "RUNNING" }),
        await list(client, { cluster, startedBy: claimId, desiredStatus: "STOPPED" }),
      ];
      return [...new Set(both.flat())];
    },
    running: () => list(client, { cluster, desiredStatus: "RUNNING" }),
  };
}

function patience() {
  return { abortSignal: AbortSignal.timeout(silenceSeconds * 1000) };
}

async function list(client: ECSClient, input: ListTasksCommandInput): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const page of paginateListTasks({ client, pageSize: 100 }, input)) {
    all.push(...(page.taskArns ?? []));
  }
  return all;
}

/** The SDK's inputs are not read-only; it does not change them. */
function mutable<T>(input: T): Mutable<T> {
  return input as Mutable<T>;
}

type Mutable<T> = T extends object ? { -readonly [Key in keyof T]: Mutable<T[Key]> } : T;

/** The `detail` of an "ECS Task State Change" event. Throws where it is none. */
export function taskOfEvent(detail: unknown): TaskState {
  return readTask(detail);
}

// ECS in memory: a task for a client token, a definition for a family, and whatever answers a test has in mind.

import type { Tasks } from "../../src/aws/tasks.ts";
import type { RunTaskRequest, TaskDefinition } from "../../src/core/fargate-task.ts";
import type {
  ContainerState,
  RegisterReply,
  RunReply,
  TaskState,
} from "../../src/core/task-state.ts";

export interface MemoryTask {
  readonly request: RunTaskRequest;
  state: TaskState;
}

export interface MemoryTasks extends Tasks {
  readonly tasks: Map<string, MemoryTask>;
  readonly definitions: Map<string, TaskDefinition>;
  readonly requests: RunTaskRequest[];
  /** Given instead of starting anything, one after the other. */
  readonly answers: RunReply[];
  readonly registerAnswers: RegisterReply[];
  /** Called around every call that changes something; what it throws is what the caller gets. */
  fault?: ((operation: string, moment: "before" | "after") => void) | undefined;
  /** Tasks that ECS does not (yet, or any more) show. */
  readonly hidden: Set<string>;
  change(taskArn: string, state: Partial<TaskState>): TaskState;
}

export function container(name: string, state: Partial<ContainerState> = {}): ContainerState {
  return { name, lastStatus: "PENDING", exitCode: undefined, reason: "", ...state };
}

export function memoryTasks(now: () => number): MemoryTasks {
  const tasks = new Map<string, MemoryTask>();
  const byToken = new Map<string, string>();
  const memory: MemoryTasks = {
    tasks,
    definitions: new Map(),
    requests: [],
    answers: [],
    registerAnswers: [],
    hidden: new Set(),
    async run(request) {
      await act("run");
      memory.requests.push(request);
      const answer = memory.answers.shift();
      if (answer !== undefined && answer.kind !== "launched") return done("run", answer);
      if (!memory.definitions.has(request.taskDefinition)) {
        return done("run", { kind: "unknown-definition" });
      }
      const known = byToken.get(request.clientToken);
      if (known !== undefined) return done("run", { kind: "launched", taskArn: known });
      const taskArn = `arn:aws:ecs:eu-west-1:123456789012:task/burst/${tasks.size + 1}`;
      byToken.set(request.clientToken, taskArn);
      tasks.set(taskArn, { request, state: freshTask(taskArn, request, memory, now()) });
      return done("run", { kind: "launched", taskArn });
    },
    async register(definition) {
      await act("register");
      const answer = memory.registerAnswers.shift() ?? { kind: "registered" };
      if (answer.kind === "registered") memory.definitions.set(definition.family, definition);
      return done("register", answer);
    },
    async forget(family) {
      await act("forget");
      memory.definitions.delete(family);
      done("forget", undefined);
    },
    async stop(taskArn) {
      await act("stop");
      const task = tasks.get(taskArn);
      if (task !== undefined && task.state.lastStatus !== "STOPPED") {
        memory.change(taskArn, { desiredStatus: "STOPPED", stopCode: "UserInitiated" });
      }
      done("stop", undefined);
    },
    describe: async (arns) =>
      await Promise.resolve(
        arns.flatMap((arn) => (memory.hidden.has(arn) ? [] : (tasks.get(arn)?.state ?? []))),
      ),
    startedBy: async (claimId) =>
      await Promise.resolve(
        [...tasks.values()]
          .filter(({ state }) => state.startedBy === claimId && !memory.hidden.has(state.taskArn))
          .map(({ state }) => state.taskArn),
      ),
    running: async () =>
      await Promise.resolve(
        [...tasks.values()]
          .filter(({ state }) => state.lastStatus !== "STOPPED")
          .map(({ state }) => state.taskArn),
      ),
    change(taskArn, state) {
      const task = tasks.get(taskArn);
      if (task === undefined) throw new Error(`there is no task ${taskArn}`);
      task.state = { ...task.state, ...state, version: task.state.version + 1 };
      return task.state;
    },
  };
  const act = async (operation: string) => {
    await Promise.resolve();
    memory.fault?.(operation, "before");
  };
  const done = <T>(operation: string, value: T): T => {
    memory.fault?.(operation, "after");
    return value;
  };
  return memory;
}

function freshTask(
  taskArn: string,
  request: RunTaskRequest,
  { definitions }: MemoryTasks,
  now: number,
): TaskState {
  const definition = definitions.get(request.taskDefinition);
  return {
    taskArn,
    startedBy: request.startedBy,
    lastStatus: "PROVISIONING",
    desiredStatus: "RUNNING",
    stopCode: "",
    stoppedReason: "",
    containers: (definition?.containerDefinitions ?? []).map(({ name }) => container(name)),
    capacityProvider: request.capacityProviderStrategy?.[0]?.capacityProvider ?? "",
    createdAt: now,
    pullStartedAt: undefined,
    pullStoppedAt: undefined,
    startedAt: undefined,
    stoppedAt: undefined,
    version: 1,
  };
}

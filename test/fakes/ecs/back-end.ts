// What makes a fake task do something: nothing but the test's own words (simulated.ts), or real containers
// (engine/*.ts). Statuses, codes and events are ECS's matter; the back-end says what happened to containers.

import type { FakeTask } from "./task.ts";

export interface TaskSteps {
  readonly task: FakeTask;
  /** PENDING: there is a machine for it. */
  provisioned(): void;
  pulling(): void;
  pulled(): void;
  containerStarted(name: string, imageDigest?: string): void;
  /** Without an exit code: it never ran. */
  containerStopped(name: string, exitCode: number | undefined, reason?: string): void;
  /** Before all containers have run: the task cannot be. `container` is the one that carries the reason. */
  failedToStart(reason: string, container?: string): void;
}

export interface BackEnd {
  launch(steps: TaskSteps): void;
  /** SIGTERM, and SIGKILL after each container's stopTimeout: the end is told container by container. */
  stop(task: FakeTask): void;
  /** STOPPED: whatever is left of it can go. */
  ended(task: FakeTask): void;
  close(): Promise<void>;
}

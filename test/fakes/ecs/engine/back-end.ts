// Tasks that really run: each registered definition as containers of one engine, with one network and the task's
// volumes, as on Fargate. What the platform does itself (files, logins, logs) it does through the front.

import type Docker from "dockerode";
import type { BackEnd, TaskSteps } from "../back-end.ts";
import type { FakeTask } from "../task.ts";
import { createExecutionRole } from "./execution-role.ts";
import type { Aliases } from "./images.ts";
import { startMetadata } from "./metadata.ts";
import { createRunningTask } from "./running-task.ts";
import type { RunningTask } from "./running-task.ts";

export interface EngineOptions {
  readonly engine: Docker;
  /** Of this machine, as the containers reach it. */
  readonly address: string;
  /** The front's. */
  readonly endpoint: () => string;
  readonly region?: string;
  /** Holds a task's network; needs `sleep`. @default busybox:latest */
  readonly networkImage?: string;
  /** What the engine holds in an image's place. */
  readonly aliases?: Aliases;
  /**
   * What becomes of a task one of whose images cannot be pulled, though it is not essential.
   * @default "task": it has failed to start
   */
  readonly pullFailure?: "task" | "container";
}

export interface EngineBackEnd extends BackEnd {
  /** As the kernel or the platform would do it. */
  kill(taskArn: string, container: string, signal?: string): Promise<void>;
  /** Id in the engine; undefined where it has not been made yet. */
  containerId(taskArn: string, container: string): string | undefined;
  /** Images that fit wait to be pulled until the test lets go of them. */
  holdPulls(when: (task: FakeTask, container: string) => boolean): () => void;
  /** Resolves when nothing of the task is left in the engine. */
  gone(taskArn: string): Promise<void>;
}

export async function createEngineBackEnd(options: EngineOptions): Promise<EngineBackEnd> {
  const running = new Map<string, RunningTask>();
  const holds = new Set<{
    readonly when: (task: FakeTask, container: string) => boolean;
    readonly released: Promise<void>;
  }>();
  const role = createExecutionRole(options.endpoint, options.region ?? "us-east-1");
  const metadata = await startMetadata(options.address, (runtimeId) =>
    [...running.values()].find(({ task }) =>
      task.containers.some((container) => container.runtimeId === runtimeId),
    ),
  );
  const known = (arn: string) => {
    const found = running.get(arn);
    if (found === undefined) throw new RangeError(`there is no task ${arn} in the engine`);
    return found;
  };
  return {
    launch(steps: TaskSteps) {
      const made = createRunningTask({
        steps,
        role,
        engine: options.engine,
        metadataUrl: (runtimeId) => metadata.url(runtimeId),
        networkImage: options.networkImage ?? "busybox:latest",
        aliases: options.aliases ?? {},
        pullFailure: options.pullFailure ?? "task",
        async beforePull(container) {
          const fitting = [...holds].filter(({ when }) => when(steps.task, container));
          await Promise.all(fitting.map(({ released }) => released));
        },
      });
      running.set(steps.task.arn, made);
      made.begin();
    },
    stop: (task) => running.get(task.arn)?.stop(),
    ended: (task) => running.get(task.arn)?.remove(),
    kill: (arn, container, signal = "SIGKILL") => known(arn).kill(container, signal),
    containerId: (arn, container) => running.get(arn)?.containerId(container),
    holdPulls(when) {
      let release = () => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      const hold = { when, released };
      holds.add(hold);
      return () => {
        holds.delete(hold);
        release();
      };
    },
    gone: (arn) => known(arn).gone,
    async close() {
      for (const task of running.values()) task.remove();
      await Promise.all([...running.values()].map(({ gone }) => gone));
      role.close();
      await metadata.close();
    },
  };
}

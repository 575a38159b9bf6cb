// A task's way through its statuses, with an event for every change that ECS tells of.

import type { BackEnd, TaskSteps } from "./back-end.ts";
import type { FakeTask } from "./task.ts";

export interface LifeParts {
  readonly backEnd: BackEnd;
  readonly now: () => number;
  readonly changed: (task: FakeTask) => void;
}

/** Begins the task's end, for whatever reason; the first reason stays. */
export function beginStop(
  parts: LifeParts,
  task: FakeTask,
  stopCode: string | undefined,
  stoppedReason: string,
): void {
  if (task.desiredStatus === "STOPPED") return;
  task.desiredStatus = "STOPPED";
  task.stopCode = stopCode;
  task.stoppedReason = stoppedReason.slice(0, 1024);
  task.stoppingAt = parts.now();
  change(parts, task);
  if (!finishIfOver(parts, task)) parts.backEnd.stop(task);
}

export function stepsOf(parts: LifeParts, task: FakeTask): TaskSteps {
  const container = (name: string) => {
    const found = task.containers.find((candidate) => candidate.name === name);
    if (found === undefined) throw new RangeError(`the task has no container "${name}"`);
    return found;
  };
  const reach = (status: string) => {
    if (task.lastStatus === "STOPPED" || task.desiredStatus === "STOPPED") return;
    task.lastStatus = status;
    change(parts, task);
  };
  return {
    task,
    provisioned: () => reach("PENDING"),
    pulling: () => {
      task.pullStartedAt = parts.now();
    },
    pulled: () => {
      task.pullStoppedAt = parts.now();
    },
    containerStarted(name, imageDigest) {
      if (task.lastStatus === "STOPPED") return;
      const started = container(name);
      started.lastStatus = "RUNNING";
      started.imageDigest = imageDigest;
      if (task.containers.every(({ lastStatus }) => lastStatus !== "PENDING")) {
        task.startedAt ??= parts.now();
        reach("RUNNING");
      } else {
        change(parts, task);
      }
    },
    containerStopped(name, exitCode, reason) {
      const stopped = container(name);
      if (stopped.lastStatus === "STOPPED") return;
      stopped.lastStatus = "STOPPED";
      stopped.exitCode = exitCode;
      stopped.reason = reason?.slice(0, 1024);
      if (finishIfOver(parts, task)) return;
      if (task.desiredStatus === "STOPPED") return change(parts, task);
      if (stopped.essential) {
        beginStop(parts, task, "EssentialContainerExited", "Essential container in task exited");
      } else {
        change(parts, task);
      }
    },
    failedToStart(reason, name) {
      if (task.desiredStatus === "STOPPED") return;
      if (name !== undefined) container(name).reason = reason.slice(0, 1024);
      beginStop(parts, task, "TaskFailedToStart", reason);
    },
  };
}

/** All of its containers have ended, or never were. */
function finishIfOver(parts: LifeParts, task: FakeTask): boolean {
  if (task.lastStatus === "STOPPED") return true;
  if (task.containers.some(({ lastStatus }) => lastStatus === "RUNNING")) return false;
  const open = task.containers.filter(({ lastStatus }) => lastStatus === "PENDING");
  if (open.length > 0 && task.desiredStatus !== "STOPPED") return false;
  for (const container of open) container.lastStatus = "STOPPED";
  if (task.desiredStatus !== "STOPPED") {
    task.desiredStatus = "STOPPED";
    task.stopCode = "EssentialContainerExited";
    task.stoppedReason = "Essential container in task exited";
    task.stoppingAt = parts.now();
  }
  task.executionStoppedAt = parts.now();
  task.lastStatus = "DEPROVISIONING";
  change(parts, task);
  task.lastStatus = "STOPPED";
  task.stoppedAt = parts.now();
  change(parts, task);
  parts.backEnd.ended(task);
  return true;
}

function change(parts: LifeParts, task: FakeTask): void {
  task.version++;
  task.updatedAt = parts.now();
  parts.changed(task);
}

// Tasks without containers: each does what the test says, by hand or by a play that every task follows.

import type { BackEnd, TaskSteps } from "./back-end.ts";
import type { FakeTask } from "./task.ts";

export interface SimulatedTask {
  readonly task: FakeTask;
  readonly steps: TaskSteps;
  /** All of its containers run. */
  start(): void;
  exit(container: string, exitCode: number, reason?: string): void;
  /** Its image cannot be had, or whatever else the reason says; `container` carries it as well. */
  failToStart(reason: string, container?: string): void;
  /** Every container that runs is gone, as by SIGKILL. */
  kill(): void;
  /** Instead of ending at once when it is told to stop. */
  onStop(end: () => void): void;
}

export interface Simulated extends BackEnd {
  task(arn: string): SimulatedTask;
}

export function createSimulated(play: (task: SimulatedTask) => void = () => undefined): Simulated {
  const running = new Map<string, { readonly simulated: SimulatedTask; stop: () => void }>();
  return {
    launch(steps) {
      const { task } = steps;
      const stopAll = (exitCode: number) => {
        for (const { name, lastStatus } of task.containers) {
          if (lastStatus === "RUNNING") steps.containerStopped(name, exitCode);
        }
      };
      const simulated: SimulatedTask = {
        task,
        steps,
        start() {
          steps.provisioned();
          steps.pulling();
          steps.pulled();
          for (const { name } of task.containers) steps.containerStarted(name);
        },
        exit: (container, exitCode, reason) => steps.containerStopped(container, exitCode, reason),
        failToStart: (reason, container) => steps.failedToStart(reason, container),
        kill: () => stopAll(137),
        onStop(end) {
          entry.stop = end;
        },
      };
      const entry = { simulated, stop: () => stopAll(143) };
      running.set(task.arn, entry);
      play(simulated);
    },
    stop(task) {
      const entry = running.get(task.arn);
      // Without containers it is over as soon as it is told.
      if (entry !== undefined) entry.stop();
    },
    ended: () => undefined,
    task(arn) {
      const found = running.get(arn);
      if (found === undefined) throw new RangeError(`there is no task ${arn} yet`);
      return found.simulated;
    },
    close: () => Promise.resolve(),
  };
}

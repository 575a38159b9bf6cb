// EventBridge, as far as our stack uses it: schedules that tick by the clock, or when the test says so, and the rule
// that brings the ends of tasks to the reaper.

import type { Clock } from "./clock.ts";
import type { TaskEvent } from "./ecs/ecs.ts";
import type { Lambda } from "./lambda/lambda.ts";

export interface Schedules {
  /** Once, now. */
  tick(functionName: string): void;
  /** From now on, as the clock goes. */
  every(seconds: number, functionName: string): void;
  stop(): void;
}

export function createSchedules(clock: Clock, lambda: Lambda): Schedules {
  const stops = new Set<() => void>();
  const tick = (functionName: string) => lambda.invokeLater(functionName, {});
  return {
    tick,
    every(seconds, functionName) {
      let stopped = false;
      let cancel = () => {};
      const next = () => {
        if (stopped) return;
        tick(functionName);
        cancel = clock.after(seconds * 1000, next);
      };
      cancel = clock.after(seconds * 1000, next);
      stops.add(() => {
        stopped = true;
        cancel();
      });
    },
    stop() {
      for (const stop of stops) stop();
      stops.clear();
    },
  };
}

export interface EventBus {
  readonly deliver: (event: TaskEvent) => void;
  /** Every event of ECS, matched or not. */
  readonly seen: readonly TaskEvent[];
  /** Events are not promised: the next so many get lost. */
  lose(count: number): void;
}

/** The stack's rule: STOPPED tasks of our cluster. */
export function createEventBus(clusterArn: () => string, target: (event: TaskEvent) => void) {
  const seen: TaskEvent[] = [];
  let lost = 0;
  const bus: EventBus = {
    seen,
    deliver(event) {
      seen.push(event);
      const { detail } = event;
      if (detail["clusterArn"] !== clusterArn() || detail["lastStatus"] !== "STOPPED") return;
      if (lost > 0) lost--;
      else target(event);
    },
    lose(count) {
      lost += count;
    },
  };
  return bus;
}

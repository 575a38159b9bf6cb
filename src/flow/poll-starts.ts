// Jobs whose tasks are still starting. Their agents do not hear yet what becomes of them on GitLab, so the launcher is
// sent to ask: a cancel frees a task that has not come up. Which these are is looked up here, a hundred tasks at a call.

import type { Tasks } from "../aws/tasks.ts";
import { agentIsUp } from "../core/advance.ts";
import type { PolledClaim } from "../core/poll-due.ts";
import { agentContainer } from "../core/task-plan.ts";
import type { EventLog } from "./event-log.ts";

export interface PollStarts {
  /** Looks in the background, where it is time to; who is to be visited goes to `onStarting`. */
  run(claims: readonly PolledClaim[]): void;
  /** Resolves when no look is under way. */
  settled(): Promise<void>;
}

export interface StartsDeps {
  readonly tasks: Pick<Tasks, "describe">;
  readonly logger: EventLog;
  readonly now: () => number;
}

/** Between two looks; a younger task is left to come up. */
const lookMilliseconds = 10_000;
/** Sent in one go, the least lately visited first: starts of new jobs share the launchers' pace with them. */
const mostVisits = 10;

interface Starting {
  readonly name: string;
  readonly taskArn: string;
}

export function pollStarts(deps: StartsDeps, onStarting: (claim: string) => void): PollStarts {
  const { tasks, now, logger } = deps;
  /** Tasks of which there is nothing more to be seen from here: their agents are up, or they have ended. */
  let done = new Set<string>();
  let visited = new Map<string, number>();
  let lookedAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;

  function startingOf(claims: readonly PolledClaim[]): readonly Starting[] {
    const running = claims.flatMap(({ name, phase }) =>
      phase?.kind === "running" ? [{ name, taskArn: phase.taskArn, since: phase.since }] : [],
    );
    const arns = new Set(running.map(({ taskArn }) => taskArn));
    done = new Set([...done].filter((arn) => arns.has(arn)));
    visited = new Map([...visited].filter(([arn]) => arns.has(arn)));
    return running.filter(
      ({ taskArn, since }) => !done.has(taskArn) && now() - since >= lookMilliseconds,
    );
  }

  async function look(starting: readonly Starting[]) {
    const states = await tasks.describe(starting.map(({ taskArn }) => taskArn));
    const pending = new Set<string>();
    for (const task of states) {
      const isOver = task.lastStatus === "STOPPED" || agentIsUp(task, { agent: agentContainer });
      (isOver ? done : pending).add(task.taskArn);
    }
    const lastVisit = ({ taskArn }: Starting) => visited.get(taskArn) ?? 0;
    const next = starting
      .filter(({ taskArn }) => pending.has(taskArn))
      .toSorted((a, b) => lastVisit(a) - lastVisit(b))
      .slice(0, mostVisits);
    for (const { name, taskArn } of next) {
      visited.set(taskArn, now());
      onStarting(name);
    }
  }

  return {
    run(claims) {
      if (looking !== undefined || now() - lookedAt < lookMilliseconds) return;
      const starting = startingOf(claims);
      if (starting.length === 0) return;
      lookedAt = now();
      looking = look(starting)
        .catch((cause: unknown) => {
          logger.warn("Tasks that start could not be looked at; tried again soon", {
            why: cause instanceof Error ? cause.message : String(cause),
          });
        })
        .finally(() => {
          looking = undefined;
        });
    },
    async settled() {
      await looking;
    },
  };
}

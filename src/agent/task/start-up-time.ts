// Where the time between GitLab's 201 and the job's container went, in one line for the log.

import type { SeenTask } from "./metadata.ts";

export interface StartUp {
  readonly claimedAt: number;
  /** When the task was asked for. */
  readonly launchedAt: number | undefined;
  readonly task: Pick<SeenTask, "PullStartedAt" | "PullStoppedAt">;
  /** When the job's container came to life. */
  readonly startedAt: number | undefined;
}

/** "" where nothing is known. Clocks of several machines: a span is never below zero. */
export function startUpLine({ claimedAt, launchedAt, task, startedAt }: StartUp): string {
  const marks: readonly (readonly [string, number | undefined])[] = [
    ["until the task was asked for", launchedAt],
    ["until it had a machine", task.PullStartedAt],
    ["to pull the images", task.PullStoppedAt],
    ["until the job's container ran", startedAt],
  ];
  const parts: string[] = [];
  let before = claimedAt;
  for (const [what, at] of marks) {
    if (at === undefined) continue;
    parts.push(`${seconds(at - before)} ${what}`);
    before = Math.max(before, at);
  }
  if (parts.length === 0 || startedAt === undefined) return "";
  return `Start-up took ${seconds(before - claimedAt)}: ${parts.join(", ")}`;
}

function seconds(milliseconds: number): string {
  return `${(Math.max(0, milliseconds) / 1000).toFixed(1)} s`;
}

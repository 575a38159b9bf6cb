// A task that no record names. Several doors may send the same recorded request; where one hears "no room" and goes on,
// another's may still be on its way, and start a task at the step that was left behind. What is left of a claim stays
// until no such task can turn up any more: with the fence gone, it would run the job's script once more.

import type { ClaimPhase } from "./claim.ts";

/** A request that is on its way has its answer by then, and ECS lists what it has started. */
export const turnUpMs = 60_000;

/** Whether ECS has been asked for more than the first task: others may live besides the one that the record names. */
export function mayHaveMore(phase: ClaimPhase): boolean {
  if (phase.kind === "launching") return true;
  if (phase.kind !== "waiting" && phase.kind !== "running") return false;
  // The first step's own request starts one task, however often and late it is sent.
  const { attempt, rung, try: tries } = phase.launch;
  return attempt > 1 || rung > 0 || tries > 0;
}

/** Whether one of them may be so new that ECS does not list it yet. */
export function mayTurnUp(phase: ClaimPhase, now: number): boolean {
  return mayHaveMore(phase) && (phase.kind !== "running" || now - phase.since < turnUpMs);
}

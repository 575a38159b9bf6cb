// A claim's end: what is decided is written down, told, and then there is nothing left to do but to clean up.

import type { Action } from "../core/advance.ts";
import { claimSchema } from "../core/claim.ts";
import type { ClaimPhase, Verdict } from "../core/claim.ts";
import { stateKeys } from "../core/state-keys.ts";
import { mayHaveMore, mayTurnUp, turnUpMs } from "../core/stray.ts";
import type { TaskState } from "../core/task-state.ts";
import type { AdvanceDeps } from "./advance-deps.ts";
import { nextTurn, takeTurn, tellGitLab } from "./tell.ts";
import { report } from "./visit.ts";
import type { Visit } from "./visit.ts";

export async function decide(visit: Visit, verdict: Verdict): Promise<undefined> {
  const { deps, job } = visit;
  const { claim } = job;
  const { phase } = claim;
  const mayLive = mayTurnUp(phase, deps.now());
  const taskArn = phase.kind === "running" ? phase.taskArn : undefined;
  const saved = await visit.save({
    ...claim,
    phase: {
      kind: "telling",
      verdict,
      until: 0,
      tries: 0,
      mayLive,
      ...(taskArn === undefined ? {} : { taskArn }),
    },
  });
  if (!saved || verdict.state === "success") return;
  deps.metrics.add("FailedJobs", 1);
  report(visit, "job failed", { reason: verdict.reason ?? "" });
}

export async function tell(visit: Visit, verdict: Verdict): Promise<undefined> {
  const { deps, job } = visit;
  const { claim } = job;
  if (claim.phase.kind !== "telling") return undefined;
  const telling = takeTurn(claim.phase, deps.now());
  if (!(await visit.save({ ...claim, phase: telling }))) return undefined;
  // What may still run is of no use any more: it goes before its job's last word comes.
  if (telling.taskArn !== undefined) {
    await deps.tasks.stop(telling.taskArn, "The job has ended");
  }
  const settled = await tellGitLab(deps, job, verdict);
  const next = settled === "unheard" ? nextTurn(telling, deps.now()) : undefined;
  const phase =
    next ??
    closingPhase(deps, { taskArn: telling.taskArn, search: true, mayLive: telling.mayLive });
  await replaceAgain(visit, telling, phase);
  if (next === undefined) deps.metrics.add("FinishedJobs", 1);
  return undefined;
}

/** After our own write of this visit: the record is read again, and changed only if it is still as we left it. */
async function replaceAgain(visit: Visit, left: ClaimPhase, phase: ClaimPhase): Promise<void> {
  const { objects } = visit.deps;
  const key = stateKeys.claim(visit.job.id);
  const stored = await objects.read(key);
  if (stored === undefined) return;
  const claim = claimSchema.parse(JSON.parse(stored.body));
  if (JSON.stringify(claim.phase) !== JSON.stringify(left)) return;
  await objects.replace(key, JSON.stringify({ ...claim, phase }), stored.etag);
}

export async function close(
  visit: Visit,
  { why, result }: Extract<Action, { kind: "close" }>,
): Promise<undefined> {
  const { deps, job } = visit;
  const { claim } = job;
  const { phase } = claim;
  const taskArn = phase.kind === "running" ? phase.taskArn : undefined;
  const mayLive = mayTurnUp(phase, deps.now());
  const next = closingPhase(deps, { taskArn, search: mayHaveMore(phase), mayLive });
  if (!(await visit.save({ ...claim, phase: next }))) return;
  deps.metrics.add("FinishedJobs", 1);
  if (result?.result === "failed") deps.metrics.add("FailedJobs", 1);
  measureStart(deps, visit.observed.task);
  const reason =
    result?.result === "failed" ? (result.failureReason ?? "unknown_failure") : undefined;
  report(visit, "job finished", { why, reason });
}

function closingPhase(
  deps: AdvanceDeps,
  {
    taskArn,
    search,
    mayLive,
  }: {
    readonly taskArn: string | undefined;
    readonly search: boolean;
    readonly mayLive: boolean | undefined;
  },
): ClaimPhase {
  return {
    kind: "closing",
    until: mayLive === true ? deps.now() + turnUpMs : 0,
    search,
    ...(taskArn === undefined ? {} : { taskArn }),
  };
}

function measureStart(deps: AdvanceDeps, task: TaskState | undefined): void {
  if (task?.createdAt === undefined || task.startedAt === undefined) return;
  deps.metrics.add("StartSeconds", (task.startedAt - task.createdAt) / 1000);
}

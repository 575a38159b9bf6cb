// A claim's beginning: said in the job's log, prepared, started; and started again where its task was lost.

import type { Action } from "../core/advance.ts";
import type { ClaimPhase, ClaimRecord, LaunchPoint } from "../core/claim.ts";
import { launchLines, waitingLine } from "../core/launch-lines.ts";
import { systemFailure } from "../core/stops.ts";
import { decide } from "./end-claim.ts";
import { prepareLaunch, writeFiles } from "./prepare-launch.ts";
import { runTask } from "./run-task.ts";
import type { Launched } from "./run-task.ts";
import { logText, sendTrace } from "./say.ts";
import { report } from "./visit.ts";
import type { Advanced, Visit } from "./visit.ts";

export async function announce(visit: Visit, launch: LaunchPoint): Promise<undefined> {
  const { deps, job } = visit;
  const { launchable, facts, claim } = job;
  if (launchable === undefined) return undefined;
  const now = deps.now();
  const lines = launchLines(launchable.plan, facts.rungs[launch.rung], launchable.warnings);
  const text = logText(job, lines, now);
  const phase = { kind: "waiting", launch, until: now, since: now, why: "" } as const;
  await saveAndSay(visit, { ...claim, phase }, text);
}

/** The record first: whoever goes on has every byte that GitLab may have got. */
async function saveAndSay(visit: Visit, next: ClaimRecord, text: string): Promise<void> {
  const trace = next.trace + text;
  if (!(await visit.save({ ...next, trace })) || text === "") return;
  await send(visit, trace, text);
}

async function send(visit: Visit, trace: string, newText: string): Promise<void> {
  const now = await sendTrace(visit.job, trace, newText);
  visit.seen.sent = true;
  if (now === "over" || now === "canceling") visit.seen.job = { now, at: visit.deps.now() };
}

export async function prepare(visit: Visit, launch: LaunchPoint): Promise<undefined> {
  const { deps, job } = visit;
  const { claim, launchable } = job;
  if (launchable === undefined) return undefined;
  const { trace } = claim;
  const prepared = await prepareLaunch(deps, job, launchable, launch);
  switch (prepared.kind) {
    case "own-first":
      await visit.save({ ...claim, owned: [...claim.owned, ...prepared.owned] });
      return undefined;
    case "refused":
      await decide(visit, prepared.verdict);
      return undefined;
    case "record":
      // A predecessor may have died before it said what it wrote down.
      if (launch.attempt === 1 && !visit.seen.sent) await send(visit, trace, trace);
      await visit.save(prepared.claim);
      return undefined;
  }
}

/** Waits between two of the same question, in one visit. */
const pauses: readonly number[] = [500, 1000, 2000, 4000];
/** A request goes out on what the record said so lately: then it has its answer before it counts as overtaken. */
const newEnoughMs = 20_000;

export async function run(visit: Visit): Promise<Advanced | undefined> {
  const { deps, job } = visit;
  const { phase } = job.claim;
  if (phase.kind !== "launching") return undefined;
  if (phase.throttled !== undefined && job.launchable !== undefined) {
    await writeFiles(deps, job, job.launchable, phase.launch);
  }
  // GitLab may have kept us waiting, while another door went on.
  if (deps.now() - visit.readAt > newEnoughMs) return undefined;
  const launched = await runTask(deps, job, phase);
  switch (launched.kind) {
    case "running":
      if ((await toRunning(visit, launched.taskArn)) === "saved") {
        deps.metrics.add("LaunchedTasks", 1);
        // A later task of a job has waited since its predecessor was lost, not since the job was claimed.
        const since = phase.launch.attempt === 1 ? job.claim.claimedAt : phase.waitingSince;
        deps.metrics.add("QueueSeconds", (deps.now() - since) / 1000);
        report(visit, "task started");
      }
      return undefined;
    case "unknown": {
      const pause = pauses[visit.seen.unanswered++];
      if (pause === undefined) {
        return { kind: "waiting", phase: "launching", until: deps.now() + 10_000 };
      }
      await deps.sleep(pause);
      return undefined;
    }
    case "failed":
      deps.metrics.add("LaunchFailures", 1);
      return await decide(visit, systemFailure(launched.message).verdict);
    case "throttled":
      deps.metrics.add("LaunchFailures", 1);
      return await toThrottled(visit, phase, launched);
    case "waiting":
      if (hasFailed(phase.launch, launched)) deps.metrics.add("LaunchFailures", 1);
      return await toWaiting(visit, launched, phase.waitingSince);
  }
}

/**
 * Without a reason nothing has failed: another job's launcher registers what both need. Nor has anything while there is
 * another kind of capacity, or another subnet, to be tried at once.
 */
function hasFailed(tried: LaunchPoint, { launch, why }: Extract<Launched, { kind: "waiting" }>) {
  return why !== "" && launch.rung <= tried.rung;
}

export async function toRunning(visit: Visit, taskArn: string): Promise<"saved" | undefined> {
  const { deps, job } = visit;
  const { claim } = job;
  const launch = "launch" in claim.phase ? claim.phase.launch : undefined;
  if (launch === undefined) return undefined;
  const phase = { kind: "running", launch, since: deps.now(), taskArn } as const;
  return (await visit.save({ ...claim, phase })) ? "saved" : undefined;
}

async function toWaiting(
  visit: Visit,
  { launch, until, why, obstacle }: Extract<Launched, { kind: "waiting" }>,
  since: number,
): Promise<undefined> {
  const text = newsOf(visit, launch, why);
  report(visit, "task not started", { why });
  const phase = { kind: "waiting", launch, until, since, why, obstacle } as const;
  await saveAndSay(visit, { ...visit.job.claim, phase }, text);
}

async function toThrottled(
  visit: Visit,
  launching: Extract<ClaimPhase, { kind: "launching" }>,
  { times, until, why }: Extract<Launched, { kind: "throttled" }>,
): Promise<undefined> {
  const text = newsOf(visit, launching.launch, why);
  report(visit, "task not started", { why });
  const phase = { ...launching, throttled: { times, until } };
  await saveAndSay(visit, { ...visit.job.claim, phase }, text);
}

/** For the job's log. Agents of later tasks go on in one that we no longer know; and nobody reads the same twice. */
function newsOf({ deps, job }: Visit, launch: LaunchPoint, why: string): string {
  const isNews =
    why !== "" && launch.attempt === 1 && !job.claim.trace.includes(job.debt.mask(why));
  return isNews ? logText(job, waitingLine(why), deps.now()) : "";
}

export async function relaunch(
  visit: Visit,
  { launch, why, dropFence }: Extract<Action, { kind: "relaunch" }>,
): Promise<undefined> {
  const { deps, job } = visit;
  const { claim } = job;
  const now = deps.now();
  const phase = { kind: "waiting", launch, until: now, since: now, why } as const;
  const fence = (claim.fence ?? 0) + (dropFence ? 1 : 0);
  report(visit, "task lost, another one is started", { why });
  await visit.save({ ...claim, fence, phase });
}

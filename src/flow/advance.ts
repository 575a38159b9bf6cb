// Brings one claim forward as far as it goes: reads its record, looks, decides, acts, and writes what has become of it
// under the record's ETag. Any number may do so at once, and any of them may die between two lines: what each writes
// before it acts is enough for the next.

import { advance } from "../core/advance.ts";
import type { Action, Observed } from "../core/advance.ts";
import { claimSchema, parseClaimId } from "../core/claim.ts";
import type { ClaimPhase, ClaimRecord, LaunchPoint, Verdict } from "../core/claim.ts";
import { launchLines, waitingLine } from "../core/launch-lines.ts";
import { stateKeys } from "../core/state-keys.ts";
import { systemFailure } from "../core/stops.ts";
import type { TaskState } from "../core/task-state.ts";
import type { AdvanceDeps } from "./advance-deps.ts";
import { readClaimedJob } from "./claimed-job.ts";
import type { ClaimedJob } from "./claimed-job.ts";
import { cleanUp } from "./clean-up.ts";
import { prepareLaunch, runTask } from "./launch.ts";
import type { Launched } from "./launch.ts";
import { observe } from "./observe.ts";
import type { Seen } from "./observe.ts";
import { logText, sendTrace } from "./say.ts";
import { nextTurn, takeTurn, tellGitLab } from "./tell.ts";

export type Advanced =
  /** There is no such claim (any more). */
  | { readonly kind: "gone" }
  /** To be visited again at `until`, or when something happens to its task. */
  | {
      readonly kind: "waiting";
      readonly phase: ClaimPhase["kind"];
      readonly until: number | undefined;
    };

/** A visit that goes on for longer than this goes in circles: the next one may go on. */
const mostSteps = 40;
/** A start that was not answered may turn up as a task for so long. */
const turnUpMs = 60_000;

/** `task`: what an event has told of one of its tasks. */
export async function advanceClaim(
  deps: AdvanceDeps,
  claimId: string,
  task?: TaskState,
): Promise<Advanced> {
  const id = parseClaimId(claimId);
  if (id === undefined) return { kind: "gone" };
  const key = stateKeys.claim(id);
  const seen: Seen = { task, job: undefined, sent: false };
  for (let step = 0; step < mostSteps; step++) {
    const stored = await deps.objects.read(key);
    if (stored === undefined) return { kind: "gone" };
    const claim = claimSchema.parse(JSON.parse(stored.body));
    const job = await readClaimedJob(deps, claimId, claim);
    const observed = await observe(deps, job, seen);
    const action = advance(claim, observed);
    const visit: Visit = {
      deps,
      claimId,
      job,
      seen,
      observed,
      save: async (next) => {
        const saved = await deps.objects.replace(key, JSON.stringify(next), stored.etag);
        return saved.kind === "written";
      },
    };
    if (action.kind === "wait") {
      return { kind: "waiting", phase: claim.phase.kind, until: action.until };
    }
    const rest = await act(visit, action);
    if (rest !== undefined) return rest;
  }
  deps.logger.warn("a claim is visited in circles", { claim: claimId });
  return { kind: "waiting", phase: "claimed", until: undefined };
}

interface Visit {
  readonly deps: AdvanceDeps;
  readonly claimId: string;
  readonly job: ClaimedJob;
  readonly seen: Seen;
  readonly observed: Observed;
  /** False where somebody else has changed the record meanwhile: look again. */
  readonly save: (next: ClaimRecord) => Promise<boolean>;
}

/** undefined: look again. */
async function act(
  visit: Visit,
  action: Exclude<Action, { kind: "wait" }>,
): Promise<Advanced | undefined> {
  const { deps, job } = visit;
  switch (action.kind) {
    case "announce":
      return await announce(visit, action.launch);
    case "prepare":
      return await prepare(visit, action.launch);
    case "run":
      return await run(visit);
    case "adopt":
      await toRunning(visit, action.taskArn);
      return undefined;
    case "relaunch":
      return await relaunch(visit, action);
    case "decide":
      return await decide(visit, action.verdict);
    case "tell":
      return await tell(visit, action.verdict);
    case "close":
      return await close(visit, action);
    case "stop":
      for (const arn of action.taskArns) await deps.tasks.stop(arn, "The job is over on GitLab");
      return { kind: "waiting", phase: "closing", until: deps.now() + 30_000 };
    case "remove":
      await cleanUp(deps, job.id, job.claim);
      return { kind: "gone" };
  }
}

async function announce(visit: Visit, launch: LaunchPoint): Promise<undefined> {
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

async function prepare(visit: Visit, launch: LaunchPoint): Promise<undefined> {
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

async function run(visit: Visit): Promise<Advanced | undefined> {
  const { deps, job } = visit;
  const { phase } = job.claim;
  if (phase.kind !== "launching") return undefined;
  const launched = await runTask(deps, job, phase);
  switch (launched.kind) {
    case "running":
      if ((await toRunning(visit, launched.taskArn)) === "saved") {
        deps.metrics.add("LaunchedTasks", 1);
        deps.metrics.add("QueueSeconds", (deps.now() - job.claim.claimedAt) / 1000);
        say(visit, "task started");
      }
      return undefined;
    case "unknown":
      return { kind: "waiting", phase: "launching", until: deps.now() + 10_000 };
    case "failed":
      deps.metrics.add("LaunchFailures", 1);
      return await decide(visit, systemFailure(launched.message).verdict);
    case "waiting":
      deps.metrics.add("LaunchFailures", 1);
      return await toWaiting(visit, launched, phase.waitingSince);
  }
}

async function toRunning(visit: Visit, taskArn: string): Promise<"saved" | undefined> {
  const { deps, job } = visit;
  const { claim } = job;
  const launch = "launch" in claim.phase ? claim.phase.launch : undefined;
  if (launch === undefined) return undefined;
  const phase = { kind: "running", launch, since: deps.now(), taskArn } as const;
  return (await visit.save({ ...claim, phase })) ? "saved" : undefined;
}

async function toWaiting(
  visit: Visit,
  { launch, until, why }: Extract<Launched, { kind: "waiting" }>,
  since: number,
): Promise<undefined> {
  const { deps, job } = visit;
  const { claim } = job;
  // Agents of later tasks go on in a log that we no longer know; and nobody reads the same sentence twice.
  const isNews = why !== "" && launch.attempt === 1 && !claim.trace.includes(job.debt.mask(why));
  const text = isNews ? logText(job, waitingLine(why), deps.now()) : "";
  say(visit, "task not started", { reason: why });
  await saveAndSay(
    visit,
    { ...claim, phase: { kind: "waiting", launch, until, since, why } },
    text,
  );
}

async function relaunch(
  visit: Visit,
  { launch, why, dropFence }: Extract<Action, { kind: "relaunch" }>,
): Promise<undefined> {
  const { deps, job } = visit;
  const { claim } = job;
  const now = deps.now();
  const phase = { kind: "waiting", launch, until: now, since: now, why } as const;
  const fence = (claim.fence ?? 0) + (dropFence ? 1 : 0);
  say(visit, "task lost, another one is started", { reason: why });
  await visit.save({ ...claim, fence, phase });
}

async function decide(visit: Visit, verdict: Verdict): Promise<undefined> {
  const { deps, job } = visit;
  const { claim } = job;
  const { phase } = claim;
  const taskArn = phase.kind === "running" ? phase.taskArn : undefined;
  const saved = await visit.save({
    ...claim,
    phase: {
      kind: "telling",
      verdict,
      until: 0,
      tries: 0,
      mayLive: phase.kind === "launching",
      ...(taskArn === undefined ? {} : { taskArn }),
    },
  });
  if (!saved || verdict.state === "success") return;
  deps.metrics.add("FailedJobs", 1);
  say(visit, "job failed", { reason: verdict.reason ?? "" });
}

async function tell(visit: Visit, verdict: Verdict): Promise<Advanced | undefined> {
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

async function close(
  visit: Visit,
  { why, result }: Extract<Action, { kind: "close" }>,
): Promise<undefined> {
  const { deps, job } = visit;
  const { claim } = job;
  const { phase } = claim;
  const taskArn = phase.kind === "running" ? phase.taskArn : undefined;
  const again = "launch" in phase && phase.launch.attempt > 1;
  const mayLive = phase.kind === "launching";
  const next = closingPhase(deps, { taskArn, search: again || mayLive, mayLive });
  if (!(await visit.save({ ...claim, phase: next }))) return;
  deps.metrics.add("FinishedJobs", 1);
  if (result?.result === "failed") deps.metrics.add("FailedJobs", 1);
  measureStart(deps, visit.observed.task);
  say(visit, "job finished", { reason: result?.failureReason ?? why });
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

function say(
  { deps, claimId, job }: Visit,
  message: string,
  fields: { reason?: string } = {},
): void {
  const { project, claim } = job;
  deps.logger.info(message, { job_id: claim.jobId, claim: claimId, project, ...fields });
}

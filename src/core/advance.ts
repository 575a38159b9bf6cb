// What is to be done about a claimed job: the one decision behind three doors (launcher, reaper, sweeper). Whoever
// comes, as often and in whatever order: the record and what can be seen of the job say what follows, and the record
// says it only under its ETag.

import type { ClaimPhase, ClaimRecord, LaunchPoint, Verdict } from "./claim.ts";
import { firstLaunch, mostAttempts, nextAttempt } from "./ladder.ts";
import type { Rung } from "./ladder.ts";
import { lost, meaningOf, systemFailure, verdictOf } from "./stops.ts";
import type { JobResult, StopFacts, StopMeaning } from "./stops.ts";
import type { TaskState } from "./task-state.ts";

/** What GitLab says of the job. It is only asked while no agent hears it. */
export type JobNow = "unasked" | "running" | "canceling" | "over";

export interface JobFacts extends StopFacts {
  readonly timeoutSeconds: number;
  readonly rungs: readonly Rung[];
  /** Why this job cannot be launched at all. */
  readonly refusal: Verdict | undefined;
  /** The refusal is for want of the runner's settings: somebody may be about to correct them. */
  readonly isUnsettled?: boolean;
}

export interface Observed {
  readonly now: number;
  readonly job: JobNow;
  /** The task that the record names; undefined where ECS does not know it (yet, or any more). */
  readonly task: TaskState | undefined;
  /** Other tasks of this claim that may still live: looked for only where there may be any. */
  readonly others: readonly TaskState[];
  /** The fence, and whose it is. */
  readonly fence: { readonly attempt: number | undefined } | undefined;
  readonly result: JobResult | undefined;
  readonly facts: JobFacts;
}

export type Action =
  /** Nothing to do; come again at `until`, or when something happens. */
  | { readonly kind: "wait"; readonly until: number | undefined }
  /** Say in the job's log what is being started, and have it started. */
  | { readonly kind: "announce"; readonly launch: LaunchPoint }
  /** Write down what the task will need, then the request itself. */
  | { readonly kind: "prepare"; readonly launch: LaunchPoint }
  /** Send the recorded request, as it is. */
  | { readonly kind: "run" }
  /** A task of this claim that the record does not name. */
  | { readonly kind: "adopt"; readonly taskArn: string }
  | {
      readonly kind: "relaunch";
      readonly launch: LaunchPoint;
      readonly why: string;
      /** The script had begun, and its job allows that it begins again. */
      readonly dropFence: boolean;
    }
  /** It is decided what GitLab shall hear. */
  | { readonly kind: "decide"; readonly verdict: Verdict }
  | { readonly kind: "tell"; readonly verdict: Verdict }
  /** GitLab needs nothing more from us. */
  | { readonly kind: "close"; readonly why: string; readonly result?: JobResult }
  | { readonly kind: "stop"; readonly taskArns: readonly string[] }
  /** Everything of this claim, itself last. */
  | { readonly kind: "remove" };

/** How long a task may be invisible right after its start. */
const invisibleMs = 5 * 60_000;
/** After this long the answer to a start is not asked for again: its token may have been forgotten. */
const answerableMs = 45 * 60_000;
/** For so long a job waits for settings that are wrong to be corrected. */
const settlingMs = 10 * 60_000;
/** What an agent gets beyond the job's time limit, to keep and to tell what is left. */
const graceMs = 15 * 60_000;
const seconds = 1000;

export function advance(claim: ClaimRecord, observed: Observed): Action {
  const { phase } = claim;
  switch (phase.kind) {
    case "claimed":
    case "waiting":
    case "launching":
      return endedOnGitLab(observed) ?? beforeRunning(claim, phase, observed);
    case "running":
      return running(claim, phase, observed);
    case "telling":
      return observed.now < phase.until
        ? { kind: "wait", until: phase.until }
        : { kind: "tell", verdict: phase.verdict };
    case "closing":
      return closing(phase, observed);
  }
}

/** Whoever canceled it has an answer at once, whatever is being started. */
function endedOnGitLab({ job }: Observed): Action | undefined {
  if (job === "over") return { kind: "close", why: "GitLab has ended the job" };
  if (job === "canceling") return { kind: "decide", verdict: canceled };
  return undefined;
}

const canceled: Verdict = {
  state: "failed",
  reason: "job_canceled",
  message: "Job failed: canceled",
};

type Phase<K extends ClaimPhase["kind"]> = Extract<ClaimPhase, { kind: K }>;

function beforeRunning(
  claim: ClaimRecord,
  phase: Phase<"claimed" | "waiting" | "launching">,
  observed: Observed,
): Action {
  const { facts, now } = observed;
  if (phase.kind === "launching") return launching(claim, phase, observed);
  const isEarly = now - claim.claimedAt < settlingMs && !overdue(claim, observed, 0);
  if (facts.isUnsettled === true && isEarly) return { kind: "wait", until: now + 30 * seconds };
  if (facts.refusal !== undefined) return { kind: "decide", verdict: facts.refusal };
  if (overdue(claim, observed, 0)) return { kind: "decide", verdict: tooLate(facts) };
  if (phase.kind === "claimed") return { kind: "announce", launch: firstLaunch };
  if (now < phase.until) return { kind: "wait", until: phase.until };
  return { kind: "prepare", launch: phase.launch };
}

function launching(claim: ClaimRecord, phase: Phase<"launching">, observed: Observed): Action {
  const [living] = observed.others;
  if (living !== undefined) return { kind: "adopt", taskArn: living.taskArn };
  const { throttled } = phase;
  if (throttled !== undefined && observed.now < throttled.until) {
    return { kind: "wait", until: throttled.until };
  }
  if (observed.now - phase.since < answerableMs) return { kind: "run" };
  return follow(
    claim,
    phase.launch,
    observed,
    withoutTask("nobody knows whether a task was started", observed),
  );
}

function running(claim: ClaimRecord, phase: Phase<"running">, observed: Observed): Action {
  const { now, task, facts } = observed;
  if (task === undefined) {
    if (now - phase.since < invisibleMs) {
      return endedOnGitLab(observed) ?? { kind: "wait", until: phase.since + invisibleMs };
    }
    return follow(
      claim,
      phase.launch,
      observed,
      withoutTask("AWS knows nothing of the task any more", observed),
    );
  }
  if (task.lastStatus === "STOPPED") {
    const { fence, result } = observed;
    const meaning = meaningOf({ task, facts, result, started: fence !== undefined });
    return follow(claim, phase.launch, observed, meaning);
  }
  if (!agentIsUp(task, facts)) {
    const ended = endedOnGitLab(observed);
    if (ended !== undefined) return ended;
  }
  if (overdue(claim, observed, graceMs)) return { kind: "decide", verdict: tooLong(facts) };
  return { kind: "wait", until: undefined };
}

/** From then on it hears itself what becomes of its job on GitLab. */
export function agentIsUp(task: TaskState, facts: Pick<JobFacts, "agent">): boolean {
  return task.containers.some(
    ({ name, lastStatus }) => name === facts.agent && lastStatus === "RUNNING",
  );
}

function withoutTask(why: string, { fence, result, facts }: Observed): StopMeaning {
  if (result !== undefined) return { kind: "tell", verdict: verdictOf(result) };
  return lost(why, { started: fence !== undefined, facts });
}

function follow(
  claim: ClaimRecord,
  launch: LaunchPoint,
  observed: Observed,
  meaning: StopMeaning,
): Action {
  switch (meaning.kind) {
    case "nothing":
      return {
        kind: "close",
        why: "the agent has told GitLab",
        ...(observed.result === undefined ? {} : { result: observed.result }),
      };
    case "elsewhere":
      return elsewhere(claim, launch, observed);
    case "tell":
      return { kind: "decide", verdict: meaning.verdict };
    case "relaunch":
      return relaunch(claim, launch, observed, meaning);
  }
}

/** The agent found the fence taken, or could not be sure that it was its own. */
function elsewhere(claim: ClaimRecord, launch: LaunchPoint, observed: Observed): Action {
  const { fence, others, result } = observed;
  const [living] = others;
  if (living !== undefined) return { kind: "adopt", taskArn: living.taskArn };
  if (result !== undefined) return { kind: "decide", verdict: verdictOf(result) };
  const why = "the task could not be sure that it alone runs this job";
  if (fence === undefined) {
    // Whoever gives up at the fence has run nothing, and nobody else has been there.
    return relaunch(claim, launch, observed, { why, nextRung: false });
  }
  return follow(
    claim,
    launch,
    observed,
    // Also where the fence is of this attempt: whoever took it has told nobody, and is gone.
    lost("another task of this job was lost", { ...observed, started: true }),
  );
}

function relaunch(
  claim: ClaimRecord,
  launch: LaunchPoint,
  observed: Observed,
  { why, nextRung }: { readonly why: string; readonly nextRung: boolean },
): Action {
  const { facts, fence, job } = observed;
  if (job !== "unasked" && job !== "running")
    return endedOnGitLab(observed) ?? { kind: "wait", until: undefined };
  if (launch.attempt >= mostAttempts) {
    const told = systemFailure(
      `${why}; that was task ${launch.attempt} of this job, and no more are tried`,
    );
    return { kind: "decide", verdict: told.verdict };
  }
  if (overdue(claim, observed, 0)) return { kind: "decide", verdict: tooLate(facts) };
  const next = nextAttempt(launch, facts.rungs);
  const rung = nextRung ? (launch.rung + 1) % Math.max(1, facts.rungs.length) : next.rung;
  return { kind: "relaunch", launch: { ...next, rung }, why, dropFence: fence !== undefined };
}

function overdue({ claimedAt }: ClaimRecord, { now, facts }: Observed, extraMs: number): boolean {
  return now - claimedAt > facts.timeoutSeconds * seconds + extraMs;
}

function tooLate({ timeoutSeconds }: JobFacts): Verdict {
  return {
    state: "failed",
    reason: "job_execution_timeout",
    message: `Job failed: its time limit of ${timeoutSeconds} seconds, which began when it was claimed, was over before it could be started`,
  };
}

function tooLong({ timeoutSeconds }: JobFacts): Verdict {
  return {
    state: "failed",
    reason: "job_execution_timeout",
    message: `Job failed: it is far beyond its time limit of ${timeoutSeconds} seconds, and its task was stopped`,
  };
}

/** A task that lives on could still begin: the fence stays until all are gone. */
function closing(phase: Phase<"closing">, { now, task, others }: Observed): Action {
  const living = [...(task === undefined ? [] : [task]), ...others].filter(
    ({ lastStatus }) => lastStatus !== "STOPPED",
  );
  const running = living.filter(({ desiredStatus }) => desiredStatus !== "STOPPED");
  if (running.length > 0) {
    return { kind: "stop", taskArns: [...new Set(running.map(({ taskArn }) => taskArn))] };
  }
  if (living.length > 0) return { kind: "wait", until: now + 30 * seconds };
  if (now < phase.until) return { kind: "wait", until: phase.until };
  return { kind: "remove" };
}

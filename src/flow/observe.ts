// Looks at everything that a decision about a claim may rest on, and at nothing that this one does not: a finished
// task's fence and result, a living one's job on GitLab as long as no agent asks there itself.

import { agentIsUp } from "../core/advance.ts";
import type { JobNow, Observed } from "../core/advance.ts";
import { formatClaimId } from "../core/claim.ts";
import { agentExit, startedSchema, taskResultSchema } from "../core/hand-off.ts";
import { stateKeys } from "../core/state-keys.ts";
import type { TaskState } from "../core/task-state.ts";
import type { AdvanceDeps } from "./advance-deps.ts";
import type { ClaimedJob } from "./claimed-job.ts";

/** What one visit has learned already, and need not ask again. */
export interface Seen {
  /** The task of an event: newer than anything a question would give. */
  readonly task: TaskState | undefined;
  job: { readonly now: JobNow; readonly at: number } | undefined;
  /** Whether this visit has brought the job's log up to date on GitLab. */
  sent: boolean;
  /** How often it has sent a request that got no clear answer. */
  unanswered: number;
}

/** A start that is this old should be found by asking for the claim's tasks. */
const listedMs = 30_000;
/** GitLab is not asked the same twice within a visit. */
const freshMs = 3000;

export async function observe(deps: AdvanceDeps, job: ClaimedJob, seen: Seen): Promise<Observed> {
  const { phase } = job.claim;
  const nothing: Observed = {
    now: deps.now(),
    job: "unasked",
    task: undefined,
    others: [],
    fence: undefined,
    result: undefined,
    facts: job.facts,
  };
  switch (phase.kind) {
    case "claimed":
    case "waiting":
      return { ...nothing, job: await askGitLab(deps, job, seen) };
    case "launching": {
      const asked = await askGitLab(deps, job, seen);
      const age = deps.now() - phase.since;
      if (age < listedMs) return { ...nothing, job: asked };
      const others = await livingTasks(deps, job, undefined);
      return { ...nothing, job: asked, others, ...(await remains(deps, job)) };
    }
    case "running":
      return await observeRunning(deps, job, seen, nothing);
    case "telling":
      return nothing;
    case "closing": {
      const task = await taskOf(deps, phase.taskArn, seen);
      const others = phase.search ? await livingTasks(deps, job, phase.taskArn) : [];
      return { ...nothing, task, others };
    }
  }
}

async function observeRunning(
  deps: AdvanceDeps,
  job: ClaimedJob,
  seen: Seen,
  nothing: Observed,
): Promise<Observed> {
  const { phase } = job.claim;
  const taskArn = phase.kind === "running" ? phase.taskArn : undefined;
  const task = await taskOf(deps, taskArn, seen);
  if (task === undefined) {
    const [asked, left] = [await askGitLab(deps, job, seen), await remains(deps, job)];
    return { ...nothing, job: asked, ...left };
  }
  if (task.lastStatus !== "STOPPED") {
    if (agentIsUp(task, job.facts)) return { ...nothing, task };
    return { ...nothing, task, job: await askGitLab(deps, job, seen) };
  }
  const agent = task.containers.find(({ name }) => name === job.facts.agent);
  const others =
    agent?.exitCode === agentExit.fenceLost ? await livingTasks(deps, job, taskArn) : [];
  return { ...nothing, task, others, ...(await remains(deps, job)) };
}

/** Tells GitLab that the job is alive, and hears what has become of it. */
async function askGitLab(deps: AdvanceDeps, job: ClaimedJob, seen: Seen): Promise<JobNow> {
  if (seen.job !== undefined && Math.abs(deps.now() - seen.job.at) < freshMs) return seen.job.now;
  const { claim, debt, gitlab } = job;
  const reply = await gitlab.updateJob({
    jobId: claim.jobId,
    token: debt.token,
    state: "running",
  });
  const now =
    reply.kind === "refused" ? "over" : reply.jobStatus === "canceling" ? "canceling" : "running";
  seen.job = { now, at: deps.now() };
  return now;
}

async function taskOf(
  deps: AdvanceDeps,
  taskArn: string | undefined,
  seen: Seen,
): Promise<TaskState | undefined> {
  if (taskArn === undefined) return undefined;
  if (seen.task?.taskArn === taskArn && seen.task.lastStatus === "STOPPED") return seen.task;
  const [task] = await deps.tasks.describe([taskArn]);
  return task;
}

async function livingTasks(
  deps: AdvanceDeps,
  { id }: ClaimedJob,
  known: string | undefined,
): Promise<readonly TaskState[]> {
  const arns = await deps.tasks.startedBy(formatClaimId(id));
  const unknown = arns.filter((arn) => arn !== known);
  if (unknown.length === 0) return [];
  const tasks = await deps.tasks.describe(unknown);
  return tasks.filter(({ lastStatus }) => lastStatus !== "STOPPED");
}

/** What the job itself has left. Unreadable is as good as there: somebody has been there. */
async function remains(
  { objects }: AdvanceDeps,
  { id, claim }: ClaimedJob,
): Promise<Pick<Observed, "fence" | "result">> {
  const [fence, result] = await Promise.all([
    objects.read(stateKeys.started(id.jobKey, claim.fence)),
    objects.read(stateKeys.result(id.jobKey)),
  ]);
  const read = result === undefined ? undefined : taskResultSchema.safeParse(parse(result.body));
  return {
    fence:
      fence === undefined
        ? undefined
        : { attempt: startedSchema.safeParse(parse(fence.body)).data?.attempt },
    result: read?.data,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

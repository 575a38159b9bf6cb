// One claimed job on one machine, from GitLab's 201 to a settled debt.

import { agentExit } from "../core/hand-off.ts";
import type { AgentReport, HandOff } from "../core/hand-off.ts";
import type { Job, ParsedJob } from "../core/job.ts";
import { ignoredNotice, planTask } from "../core/plan.ts";
import type { PlannedTask } from "../core/plan.ts";
import type { Secret } from "../core/secret.ts";
import { jobVariables } from "../core/variables.ts";
import type { AgentExit, JobPlace } from "../local/executor.ts";
import type { RunnerDeps, RunnerOptions } from "./run-runner.ts";
import type { RunEvent } from "./run-events.ts";
import { settle } from "./settle.ts";
import type { Settlement } from "./settle.ts";

export interface Claim {
  /** The body of the 201, word for word. */
  readonly raw: string;
  readonly parsed: ParsedJob;
  readonly jobId: number;
  readonly token: Secret;
  /** The lowest free number among this runner's jobs: names the builds folder. */
  readonly slot: number;
  readonly claimedAt: number;
}

/** Runs the job; resolves when GitLab knows the result, or when every try to tell it has failed. */
export async function runClaim(
  deps: RunnerDeps,
  claim: Claim,
  options: RunnerOptions,
): Promise<void> {
  const { gitlab, claims, now, sleep } = deps;
  const { jobId, token, parsed } = claim;
  const job = parsed.kind === "job" ? parsed.job : undefined;
  const debt = { jobId, token, knownReasons: job?.features.failure_reasons ?? [] };
  const say = (event: RunEvent["event"], failureReason?: string) => {
    deps.onEvent({
      event,
      jobId,
      project: job?.job_info.project_full_path ?? "",
      name: job?.job_info.name ?? "",
      ...(event === "claimed" || event === "started"
        ? {}
        : { durationSeconds: (now() - claim.claimedAt) / 1000 }),
      ...(failureReason === undefined ? {} : { failureReason }),
    });
  };
  const fail = async (settlement: Settlement) => {
    const heard = await settle(gitlab, debt, settlement, sleep);
    if (!heard) deps.onDiagnostic(`job ${jobId}: GitLab could not be told that it failed`);
    say("failed", settlement.reason);
  };

  // From here on a crash of ours leaves a record that the next start settles.
  await claims.record(jobId, claim.raw);
  say("claimed");
  const first = await gitlab.updateJob({ jobId, token, state: "running" });
  if (first.kind === "refused") {
    await claims.release(jobId);
    return say("canceled");
  }
  if (parsed.kind === "invalid") {
    await fail({
      reason: "runner_system_failure",
      message: `Job failed (system failure): GitLab's job payload cannot be read: ${parsed.message}`,
    });
    return await claims.release(jobId);
  }

  const planned = plan(deps, parsed.job, options);
  if (planned.kind === "refusal") {
    await fail({ reason: planned.reason, message: `Job failed: ${planned.message}` });
    return await claims.release(jobId);
  }

  let result: Extract<AgentReport, { kind: "result" }> | undefined;
  const ended = await launch(deps, claim, options, planned, (report) => {
    if (report.kind === "started") say("started");
    else result = report;
  });
  if (ended.kind === "exited" && ended.code === agentExit.confirmed) {
    say(result?.result ?? "canceled", result?.failureReason);
  } else {
    await fail(explain(ended));
  }
  await claims.release(jobId);
}

function plan(deps: RunnerDeps, job: Job, options: RunnerOptions): PlannedTask {
  const entries = job.variables.map((variable) => ({
    ...variable,
    value: variable.value.reveal(),
  }));
  const variables = jobVariables(entries, { tempDir: "" });
  const { agentImage } = deps.executor;
  return planTask(
    job,
    options.settings,
    agentImage === undefined
      ? { executor: "process", variables }
      : { executor: "docker", variables, agentImage },
  );
}

function noticesOf(planned: Extract<PlannedTask, { kind: "task" }>): readonly string[] {
  const { plan: task, warnings } = planned;
  const unused = task.executor === "process" ? ignoredNotice(task.ignored) : undefined;
  return [...(unused === undefined ? [] : [unused]), ...warnings];
}

async function launch(
  deps: RunnerDeps,
  claim: Claim,
  options: RunnerOptions,
  planned: Extract<PlannedTask, { kind: "task" }>,
  onReport: (report: AgentReport) => void,
): Promise<AgentExit> {
  const prepare = ({ folders, url }: JobPlace): HandOff => ({
    ...options.handOff,
    gitlab: { ...options.handOff.gitlab, ...(url === undefined ? {} : { url }) },
    settings: { ...(url === undefined ? {} : { clone_url: url }), ...options.handOff.settings },
    job: claim.raw,
    claimedAt: claim.claimedAt,
    concurrentId: claim.slot,
    concurrentProjectId: claim.slot,
    folders,
  });
  const { jobId } = claim;
  const notices = noticesOf(planned);
  try {
    const request = { jobId, plan: planned.plan, prepare, notices, onReport };
    const running = await deps.executor.launch(request);
    await deps.claims.record(jobId, claim.raw, running.agentPid);
    const interrupt = () => running.interrupt();
    options.interrupt.addEventListener("abort", interrupt, { once: true });
    if (options.interrupt.aborted) interrupt();
    return await running.finished.finally(() =>
      options.interrupt.removeEventListener("abort", interrupt),
    );
  } catch (cause) {
    return {
      kind: "never-started",
      message: cause instanceof Error ? cause.message : String(cause),
    };
  }
}

function explain(ended: AgentExit): Settlement {
  if (ended.kind === "never-started") {
    return {
      reason: "runner_system_failure",
      message: `Job failed (system failure): the job could not be started: ${ended.message}`,
    };
  }
  if (ended.trouble !== undefined) {
    const system = ended.trouble.reason === "runner_system_failure" ? " (system failure)" : "";
    return { ...ended.trouble, message: `Job failed${system}: ${ended.trouble.message}` };
  }
  if (ended.code === agentExit.containerGone) {
    return {
      reason: "runner_system_failure",
      message: "Job failed (system failure): the job's shell never came up, or was killed",
    };
  }
  const how = ended.signal === null ? `exit code ${ended.code}` : `signal ${ended.signal}`;
  return {
    reason: "runner_system_failure",
    message: `Job failed (system failure): the runner's agent ended early (${how})`,
  };
}

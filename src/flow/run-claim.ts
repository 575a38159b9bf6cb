// One claimed job on one machine, from GitLab's 201 to a settled debt.

import { agentExit } from "../core/hand-off.ts";
import type { AgentReport, HandOff } from "../core/hand-off.ts";
import type { Job, ParsedJob } from "../core/job.ts";
import type { TextMask } from "../core/job-mask.ts";
import { ignoredNotice, planTask } from "../core/plan.ts";
import type { PlannedTask } from "../core/plan.ts";
import type { Secret } from "../core/secret.ts";
import { jobVariables } from "../core/variables.ts";
import type { AgentExit, JobPlace, RunningJob } from "../local/executor.ts";
import type { RunnerDeps, RunnerOptions } from "./run-runner.ts";
import type { RunEvent } from "./run-events.ts";
import { debtOf, settle } from "./settle.ts";
import type { Settlement } from "./settle.ts";

export interface Claim {
  /** The body of the 201, word for word. */
  readonly raw: string;
  readonly parsed: ParsedJob;
  readonly jobId: number;
  readonly token: Secret;
  /** The lowest free number among this runner's jobs: names the builds folder. */
  readonly slot: number;
  /** By the steady clock. */
  readonly claimedAt: number;
}

/** Runs the job; resolves when GitLab knows the result, or when the next start has to tell it. */
export async function runClaim(
  deps: RunnerDeps,
  claim: Claim,
  options: RunnerOptions,
): Promise<void> {
  const { gitlab, claims, now } = deps;
  const { jobId, token, parsed, raw, slot } = claim;
  const job = parsed.kind === "job" ? parsed.job : undefined;
  const debt = debtOf(jobId, token, job, options.settings);
  let result: Extract<AgentReport, { kind: "result" }> | undefined;
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
  // What GitLab hears as the reason of a canceled job is a makeshift, and tells a reader nothing.
  const sayResult = () =>
    result?.result === "failed"
      ? say("failed", result.failureReason)
      : say(result?.result ?? "canceled");
  const fail = async (settlement: Settlement, ending: "failed" | "canceled" = "failed") => {
    const settled = await settle(deps, debt, settlement);
    if (settled === "unheard") {
      // The claim stays: the next start tries again.
      deps.onDiagnostic(`job ${jobId}: GitLab could not be told that it failed`);
    } else {
      await claims.release(jobId);
    }
    // GitLab may have got the agent's own last word before.
    if (settled === "over") sayResult();
    else if (ending === "canceled") say("canceled");
    else say("failed", settlement.reason);
  };

  try {
    // From here on a crash of ours leaves a record that the next start settles.
    await claims.record({ jobId, raw, slot });
  } catch (cause) {
    say("claimed");
    return await fail(systemFailure(`the claim could not be written down: ${textOf(cause)}`));
  }
  say("claimed");
  const first = await gitlab.updateJob({ jobId, token, state: "running" });
  if (first.kind === "refused") {
    await claims.release(jobId);
    return say("canceled");
  }
  if (first.jobStatus === "canceling") {
    return await fail({ reason: "job_canceled", message: "Job failed: canceled" }, "canceled");
  }
  if (parsed.kind === "invalid") {
    return await fail(systemFailure(`GitLab's job payload cannot be read: ${parsed.message}`));
  }

  const planned = plan(deps, parsed.job, options);
  if (planned.kind === "refusal") {
    return await fail({ reason: planned.reason, message: `Job failed: ${planned.message}` });
  }

  const projectId = parsed.job.job_info.project_id;
  const { mask } = debt;
  const ended = await launch(deps, claim, options, { planned, projectId, mask }, (report) => {
    if (report.kind === "started") say("started");
    else result = report;
  });
  if (ended.kind === "exited" && ended.code === agentExit.confirmed) {
    await claims.release(jobId);
    return sayResult();
  }
  await fail(explain(ended, options.interrupt.aborted));
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

interface Launchable {
  readonly planned: Extract<PlannedTask, { kind: "task" }>;
  readonly projectId: number;
  readonly mask: TextMask;
}

async function launch(
  deps: RunnerDeps,
  claim: Claim,
  options: RunnerOptions,
  { planned, projectId, mask }: Launchable,
  onReport: (report: AgentReport) => void,
): Promise<AgentExit> {
  const prepare = ({ folders, url }: JobPlace): HandOff => ({
    ...options.handOff,
    gitlab: { ...options.handOff.gitlab, ...(url === undefined ? {} : { url }) },
    settings: settingsFor(options, url),
    job: claim.raw,
    claimedAt: deps.wallClock() - (deps.now() - claim.claimedAt),
    concurrentId: claim.slot,
    concurrentProjectId: claim.slot,
    folders,
  });
  const { jobId, raw, slot } = claim;
  const notices = noticesOf(planned);
  let running: RunningJob;
  try {
    const request = { jobId, projectId, plan: planned.plan, prepare, notices, mask, onReport };
    running = await deps.executor.launch(request);
  } catch (cause) {
    return { kind: "never-started", message: textOf(cause) };
  }
  const { agentPid, finished } = running;
  const interrupt = () => running.interrupt();
  options.interrupt.addEventListener("abort", interrupt, { once: true });
  if (options.interrupt.aborted) interrupt();
  try {
    await deps.claims.record({ jobId, raw, slot, agentPid });
  } catch (cause) {
    // The first record holds as long as we live; the job is worth more than the second.
    deps.onDiagnostic(`job ${jobId}: its agent could not be written down: ${textOf(cause)}`);
  }
  return await finished.finally(() => options.interrupt.removeEventListener("abort", interrupt));
}

/** The agent pulls no images: the runner's logins for registries are none of its business, nor of a job's. */
function settingsFor({ handOff }: RunnerOptions, url: string | undefined): HandOff["settings"] {
  const { registry_auth: _logins, ...settings } = handOff.settings;
  return { ...(url === undefined ? {} : { clone_url: url }), ...settings };
}

function explain(ended: AgentExit, interrupted: boolean): Settlement {
  if (ended.kind === "never-started") {
    return systemFailure(`the job could not be started: ${ended.message}`);
  }
  if (ended.trouble !== undefined) {
    const system = ended.trouble.reason === "runner_system_failure" ? " (system failure)" : "";
    return { ...ended.trouble, message: `Job failed${system}: ${ended.trouble.message}` };
  }
  if (ended.code === agentExit.containerGone) {
    return systemFailure("the job's shell never came up, or was killed");
  }
  // An agent that is told to stop before it can listen just ends.
  if (interrupted && (ended.signal === "SIGTERM" || ended.code === agentExit.interrupted)) {
    return { reason: "runner_interrupted", message: "Job failed: the runner was told to stop" };
  }
  const how = ended.signal === null ? `exit code ${ended.code}` : `signal ${ended.signal}`;
  return systemFailure(`the runner's agent ended early (${how})`);
}

function systemFailure(message: string): Settlement {
  return {
    reason: "runner_system_failure",
    message: `Job failed (system failure): ${message}`,
  };
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

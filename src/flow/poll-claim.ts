// GitLab's 201 becomes a record in the bucket, before anything else: from then on the job has an owner, whoever dies.
// Where the bucket fails, GitLab is told at once that the job failed, for nobody else would.

import type { Objects } from "../aws/objects.ts";
import { shapeTask } from "../core/burst-variables.ts";
import { formatClaimId, jobKeyText } from "../core/claim.ts";
import type { ClaimId, ClaimRecord } from "../core/claim.ts";
import { parseJob } from "../core/job.ts";
import type { Job } from "../core/job.ts";
import type { PolledClaim } from "../core/poll-due.ts";
import { fargateSize } from "../core/size.ts";
import { stateKeys } from "../core/state-keys.ts";
import type { Settings } from "../core/settings.ts";
import { jobVariables } from "../core/variables.ts";
import type { GitLabClient } from "../gitlab/client.ts";
import type { JobReply } from "../gitlab/request-job.ts";
import type { EventFields, EventLog, Metering } from "./event-log.ts";
import type { LoadedRunner } from "./runners.ts";
import { debtOf, settle } from "./settle.ts";

export interface RecordDeps {
  readonly objects: Pick<Objects, "create">;
  readonly logger: EventLog;
  readonly metrics: Metering;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly sha256Hex: (text: string) => string;
}

export type ClaimedReply = Extract<JobReply, { kind: "job" }>;

const longestSleepMilliseconds = 10_000;

/** undefined where it could not be recorded: then GitLab has been told. */
export async function recordClaim(
  deps: RecordDeps,
  runner: LoadedRunner,
  gitlab: Pick<GitLabClient, "patchTrace" | "updateJob">,
  reply: ClaimedReply,
): Promise<PolledClaim | undefined> {
  const { settings } = runner;
  const parsed = parseJob(reply.payload);
  const job = parsed.kind === "job" ? parsed.job : undefined;
  const id: ClaimId = {
    runner: runner.name,
    cpuUnits: cpuUnitsOf(job, settings),
    jobKey: deps.sha256Hex(jobKeyText(settings.url, reply.jobId)).slice(0, 32),
  };
  const record: ClaimRecord = {
    version: 1,
    id: formatClaimId(id),
    url: settings.url,
    systemId: runner.systemId,
    jobId: reply.jobId,
    token: reply.token.reveal(),
    claimedAt: deps.now(),
    body: reply.raw,
    trace: "",
    phase: { kind: "claimed" },
    owned: [],
  };
  const fields: EventFields = {
    job_id: reply.jobId,
    claim: record.id,
    project: job?.job_info.project_full_path,
    runner: runner.name,
  };
  try {
    // "exists": the answer to a first try was lost, and it is our own.
    await deps.objects.create(stateKeys.claim(id), JSON.stringify(record));
  } catch (cause) {
    deps.logger.error("A claimed job could not be recorded; GitLab is told", fields, cause);
    const told = await giveUp(deps, runner, gitlab, reply, job);
    deps.metrics.add("FailedJobs", 1);
    deps.logger.warn("The job was given up", { ...fields, reason: "runner_system_failure", told });
    return undefined;
  }
  deps.metrics.add("ClaimedJobs", 1);
  deps.logger.info("claimed", { ...fields, correlation_id: reply.correlationId });
  const { claimedAt, phase } = record;
  return { name: record.id, runner: id.runner, cpuUnits: id.cpuUnits, claimedAt, phase };
}

async function giveUp(
  deps: RecordDeps,
  runner: LoadedRunner,
  gitlab: Pick<GitLabClient, "patchTrace" | "updateJob">,
  { jobId, token }: ClaimedReply,
  job: Job | undefined,
): Promise<string> {
  return await settle(
    {
      gitlab,
      sleep: (milliseconds) => deps.sleep(Math.min(milliseconds, longestSleepMilliseconds)),
      wallClock: deps.now,
    },
    debtOf(jobId, token, job, runner.settings),
    {
      reason: "runner_system_failure",
      message:
        "Job failed (system failure): the runner could not write down that it has the job, and has not started it",
    },
  );
}

/** For the budget: as large as its task will be, or as usual where that cannot be said. */
function cpuUnitsOf(job: Job | undefined, settings: Settings): number {
  const usual = fargateSize(settings.sizes.default) ?? settings.sizes.default;
  if (job === undefined) return usual.cpuUnits;
  const own = jobVariables(
    job.variables.map((variable) => ({ ...variable, value: variable.value.reveal() })),
    { tempDir: "" },
  );
  const everyJob = new Map(
    settings.environment.map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)] as const;
    }),
  );
  const get = (key: string) => (own.has(key) ? own.get(key) : (everyJob.get(key) ?? ""));
  const shape = shapeTask({ executor: "fargate", settings, get });
  return shape.kind === "shape" ? shape.size.cpuUnits : usual.cpuUnits;
}

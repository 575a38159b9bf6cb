// A claim's record read as what it stands for: the job, its runner, its plan, and what the decision must know of them.

import type { JobFacts } from "../core/advance.ts";
import { parseClaimId } from "../core/claim.ts";
import type { ClaimId, ClaimRecord, Verdict } from "../core/claim.ts";
import { RunnerError } from "../core/errors.ts";
import { resolveFeatureFlags } from "../core/feature-flags.ts";
import type { FeatureFlags } from "../core/feature-flags.ts";
import { taskFolders } from "../core/fargate-place.ts";
import type { FargatePlace } from "../core/fargate-place.ts";
import { parseJob } from "../core/job.ts";
import type { Job } from "../core/job.ts";
import { ladderOf } from "../core/ladder.ts";
import { planTask } from "../core/plan.ts";
import { Secret } from "../core/secret.ts";
import { defaultSettings } from "../core/settings.ts";
import { shortToken } from "../core/short-token.ts";
import { agentContainer } from "../core/task-plan.ts";
import type { ContainersPlan } from "../core/task-plan.ts";
import { buildVariables } from "../core/variables.ts";
import type { JobVariables } from "../core/variables.ts";
import type { GitLabClient } from "../gitlab/client.ts";
import type { AdvanceDeps } from "./advance-deps.ts";
import type { LoadedRunner } from "./runners.ts";
import { debtOf } from "./settle.ts";
import type { Debt } from "./settle.ts";

export interface ClaimedJob {
  readonly id: ClaimId;
  readonly claim: ClaimRecord;
  readonly gitlab: GitLabClient;
  readonly debt: Debt;
  readonly facts: JobFacts;
  /** For the functions' log. */
  readonly project: string;
  /** undefined where `facts.refusal` says why. */
  readonly launchable: Launchable | undefined;
}

export interface Launchable {
  readonly job: Job;
  readonly runner: LoadedRunner;
  readonly flags: FeatureFlags;
  readonly variables: JobVariables;
  readonly plan: ContainersPlan;
  readonly warnings: readonly string[];
  readonly place: FargatePlace;
  readonly projectDir: string;
}

/** GitLab's own default, for a job whose payload says nothing that could be read. */
const usualTimeoutSeconds = 3600;

export async function readClaimedJob(
  deps: AdvanceDeps,
  claimId: string,
  claim: ClaimRecord,
): Promise<ClaimedJob> {
  const id = parseClaimId(claimId);
  if (id === undefined) {
    throw new RunnerError("runner_system_failure", `${claimId} is no name of a claim`);
  }
  const runner = await deps.loadRunner(id.runner);
  const settings = runner?.settings ?? defaultSettings();
  const { url, systemId, jobId } = claim;
  const ca = settings.tls_ca_certificate;
  const gitlab = deps.gitlabs.at({ url, systemId, ca, labels: settings.labels });
  const parsed = parseJob(parseText(claim.body));
  const job = parsed.kind === "job" ? parsed.job : undefined;
  const debt = debtOf(jobId, new Secret(claim.token), job, settings);
  const project = job?.job_info.project_full_path ?? "";
  const every = { id, claim, gitlab, debt, project };
  const refuse = (verdict: Verdict, isUnsettled = false): ClaimedJob => ({
    ...every,
    facts: { ...factsWithout(job, verdict), isUnsettled },
    launchable: undefined,
  });
  if (parsed.kind === "invalid") {
    return refuse(systemFailure(`GitLab's job payload cannot be read: ${parsed.message}`));
  }
  if (runner === undefined) {
    return refuse(
      systemFailure(
        `the runner ${id.runner} has no usable settings any more in ${deps.environment.BURST_PARAMETERS}/runners`,
      ),
      true,
    );
  }
  const planned = planJob(deps, parsed.job, runner);
  if (planned.kind === "refusal") return refuse(planned.verdict);
  const { launchable } = planned;
  const { BURST_SUBNETS: subnets } = deps.environment;
  return {
    ...every,
    launchable,
    facts: {
      ...taskFacts(launchable.plan),
      timeoutSeconds: timeoutOf(parsed.job),
      rungs: ladderOf(launchable.plan.capacity, subnets),
      refusal: undefined,
    },
  };
}

type PlannedJob =
  | { readonly kind: "launchable"; readonly launchable: Launchable }
  | { readonly kind: "refusal"; readonly verdict: Verdict };

function planJob(deps: AdvanceDeps, job: Job, runner: LoadedRunner): PlannedJob {
  const { settings } = runner;
  const { flags, warnings } = resolveFeatureFlags({
    configured: settings.feature_flags,
    environment: settings.environment,
    variables: job.variables,
  });
  const projectDir = `${taskFolders.builds}/${job.job_info.project_full_path || "project"}`;
  const variables = buildVariables({
    job,
    runner: {
      shortToken: shortToken(runner.token.reveal()),
      environment: settings.environment,
      settingsImage: settings.image,
      featureFlags: flags,
      version: deps.version,
      revision: "",
      executableArch: settings.architecture === "arm64" ? "linux/arm64" : "linux/amd64",
      shared: false,
    },
    dirs: {
      buildsDir: taskFolders.builds,
      projectDir,
      tempDir: `${projectDir}.tmp`,
      concurrentId: 0,
      concurrentProjectId: 0,
    },
    tls: { ca: settings.tls_ca_certificate || undefined },
  });
  const { BURST_AGENT_IMAGES: agentImages } = deps.environment;
  const planned = planTask(job, settings, {
    executor: "fargate",
    variables,
    agentImage: agentImages[settings.architecture] ?? "",
  });
  if (planned.kind === "refusal") {
    const { reason, message, exitCode } = planned;
    const code = exitCode === undefined ? {} : { exitCode };
    const verdict = {
      state: "failed",
      reason,
      message: `Job failed: ${message}`,
      ...code,
    } as const;
    return { kind: "refusal", verdict };
  }
  const { plan } = planned;
  if (plan.executor === "process") {
    return { kind: "refusal", verdict: systemFailure("a plan for processes has no containers") };
  }
  const all = [...warnings, ...planned.warnings];
  const place = placeOf(deps, runner);
  const launchable = { job, runner, flags, variables, plan, warnings: all, place, projectDir };
  return { kind: "launchable", launchable };
}

function placeOf({ environment, region }: AdvanceDeps, runner: LoadedRunner): FargatePlace {
  return {
    cluster: environment.BURST_CLUSTER,
    region,
    securityGroups: environment.BURST_SECURITY_GROUPS,
    assignPublicIp: environment.BURST_ASSIGN_PUBLIC_IP,
    executionRole: environment.BURST_EXECUTION_ROLE,
    logGroup: environment.BURST_LOG_GROUP,
    namePrefix: environment.BURST_NAME_PREFIX,
    agentImages: environment.BURST_AGENT_IMAGES,
    stateBucket: environment.BURST_STATE_BUCKET,
    runner: runner.name,
  };
}

function taskFacts(plan: ContainersPlan) {
  const { agent, job, services, diskGiB, rerunOnLoss } = plan;
  const containers = [job, ...services];
  return {
    agent: agent.name,
    job: job.name,
    images: Object.fromEntries([
      [agent.name, agent.image],
      ...containers.map(({ name, requestedImage }): [string, string] => [name, requestedImage]),
    ]),
    pulled: Object.fromEntries(containers.map(({ name, image }) => [name, image])),
    memoryMiB: job.memoryMiB,
    diskGiB,
    rerunOnLoss,
  };
}

/** What is assumed of a task whose plan cannot be made (any more). */
function factsWithout(job: Job | undefined, refusal: Verdict): JobFacts {
  return {
    agent: agentContainer,
    job: "job",
    images: { [agentContainer]: "", job: job?.image.name ?? "" },
    pulled: {},
    memoryMiB: 0,
    diskGiB: 0,
    rerunOnLoss: false,
    timeoutSeconds: timeoutOf(job),
    rungs: [],
    refusal,
  };
}

function timeoutOf(job: Job | undefined): number {
  return job?.runner_info.timeout || usualTimeoutSeconds;
}

function systemFailure(message: string): Verdict {
  return {
    state: "failed",
    reason: "runner_system_failure",
    message: `Job failed (system failure): ${message}`,
  };
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

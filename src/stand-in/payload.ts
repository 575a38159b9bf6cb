// The job as a runner receives it: what the pipeline file decided, and all that only the server
// knows. Where GitLab sends null, this does too.

import { failureReasons } from "./failure-reasons.ts";
import { expandAll } from "./expand.ts";
import type { Job, Pipeline } from "./model.ts";
import { completed } from "./model.ts";
import type { WireVariable } from "./pipeline/types.ts";
import { defaultBranch } from "./repository.ts";
import type { Runner } from "./runners.ts";
import type { Site } from "./variables.ts";
import { jobVariables, noCommit, repositoryUrl } from "./variables.ts";

const defaultGitDepth = 20;

export interface PayloadContext {
  readonly site: Site;
  readonly runner: Runner;
  readonly now: number;
  readonly queueSize: number;
  /** Jobs of the project that run on instance runners. */
  readonly running: number;
}

export function jobPayload(job: Job, context: PayloadContext): Record<string, unknown> {
  const { spec } = job;
  const { site, runner } = context;
  const dependencies = dependenciesOf(job);
  const variables = expandAll(jobVariables(site, job, runner, dependencies));
  const timeout = effectiveTimeout(job, runner);
  return {
    id: job.id,
    token: job.token,
    allow_git_fetch: true,
    job_info: jobInfo(job, context),
    git_info: gitInfo(job, site, gitDepth(variables)),
    runner_info: { timeout, runner_session_url: null },
    inputs: [],
    variables: variables.map(onWire),
    steps: spec.payload.steps.map((step) => ({
      ...step,
      timeout: step.timeout === 0 ? timeout : step.timeout,
    })),
    hooks: spec.payload.hooks,
    image: spec.payload.image,
    services: spec.payload.services ?? [],
    artifacts: spec.payload.artifacts,
    cache: spec.payload.cache ?? [],
    credentials: credentials(site, job),
    dependencies: dependencies.map((dependency) => ({
      id: dependency.id,
      name: dependency.spec.name,
      token: job.token,
      ...artifactsFile(dependency, context.now),
    })),
    features: {
      trace_sections: true,
      token_mask_prefixes: ["glpat-"],
      failure_reasons: failureReasons,
    },
    ...job.overrides,
  };
}

export function effectiveTimeout(job: Job, runner: Runner): number {
  return Math.min(job.timeoutSeconds, runner.settings.maximumTimeout ?? Infinity);
}

/** `file` and `raw` are sent only where they are true. */
function onWire(variable: WireVariable): Partial<WireVariable> {
  const { file, raw, ...rest } = variable;
  return { ...rest, ...(file ? { file } : {}), ...(raw ? { raw } : {}) };
}

function jobInfo(job: Job, context: PayloadContext) {
  const { project } = job.pipeline;
  const waited = (context.now - (job.queuedAt ?? job.createdAt)) / 1000;
  const instance = context.runner.settings.type === "instance_type";
  return {
    id: job.id,
    name: job.spec.name,
    stage: job.spec.stage,
    pipeline_id: job.pipeline.id,
    project_id: project.id,
    project_name: project.name,
    project_full_path: project.path,
    namespace_id: 1,
    root_namespace_id: 1,
    organization_id: 1,
    instance_id: "stand-in",
    instance_uuid: "00000000-0000-4000-8000-000000000000",
    user_id: 1,
    scoped_user_id: null,
    time_in_queue_seconds: waited,
    project_jobs_running_on_instance_runners_count: instance ? bucket(context.running) : "+Inf",
    queue_size: context.queueSize,
    queue_depth: 1,
  };
}

function bucket(running: number): string {
  return running < 5 ? String(running) : "5+";
}

function gitInfo(job: Job, site: Site, depth: number) {
  const { pipeline } = job;
  return {
    repo_url: repositoryUrl(site, pipeline.project, job.token),
    repo_object_format: "sha1",
    ref: pipeline.ref.name,
    sha: pipeline.commit.sha,
    before_sha: noCommit,
    ref_type: pipeline.ref.kind,
    refspecs: refspecs(pipeline, depth),
    depth,
    protected: pipeline.ref.name === defaultBranch && pipeline.ref.kind === "branch",
  };
}

function refspecs(pipeline: Pipeline, depth: number): string[] {
  const own = `refs/pipelines/${String(pipeline.id)}`;
  const { kind, name } = pipeline.ref;
  if (depth === 0) return [`+${own}:${own}`, branchRefspec("*"), tagRefspec("*")];
  return [`+${own}:${own}`, kind === "branch" ? branchRefspec(name) : tagRefspec(name)];
}

function branchRefspec(name: string): string {
  return `+refs/heads/${name}:refs/remotes/origin/${name}`;
}

function tagRefspec(name: string): string {
  return `+refs/tags/${name}:refs/tags/${name}`;
}

function gitDepth(variables: readonly WireVariable[]): number {
  const given = variables.findLast((variable) => variable.key === "GIT_DEPTH");
  if (given === undefined || given.value === "") return defaultGitDepth;
  const depth = Number.parseInt(given.value, 10);
  return Number.isNaN(depth) || depth < 0 ? 0 : depth;
}

function credentials(site: Site, job: Job) {
  if (site.registry === undefined) return [];
  return [
    { type: "registry", url: site.registry, username: "gitlab-ci-token", password: job.token },
  ];
}

/** The jobs whose artifacts this one gets. */
export function dependenciesOf(job: Job): Job[] {
  const { pipeline, spec } = job;
  const others = pipeline.jobs.filter((other) => !other.retried && other !== job);
  const position = pipeline.stages.indexOf(spec.stage);
  const { needs, dependencies } = spec;
  return others.filter((other) => {
    const { name, stage } = other.spec;
    if (dependencies !== undefined && !dependencies.includes(name)) return false;
    if (needs !== undefined) return needs.some((need) => need.job === name && need.artifacts);
    return pipeline.stages.indexOf(stage) < position;
  });
}

/** False: the job cannot be handed out, what it depends on is gone. */
export function dependenciesAlive(job: Job, now: number): boolean {
  return dependenciesOf(job).every((dependency) => {
    const archive = dependency.artifacts.get("archive");
    return (
      !completed(dependency.status) || archive?.expireAt === undefined || archive.expireAt > now
    );
  });
}

function artifactsFile(dependency: Job, now: number) {
  const archive = dependency.artifacts.get("archive");
  if (archive === undefined || (archive.expireAt ?? Infinity) <= now) return {};
  return { artifacts_file: { filename: archive.filename, size: archive.size } };
}

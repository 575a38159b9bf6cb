// The life of pipelines and jobs: made, moved on, ended, canceled, tried again. Every change of a
// status passes through here, so that what follows from it always follows.

import { failureReasons, neverRetried, reasonAliases } from "./failure-reasons.ts";
import type { Commit, Job, JobStatus, Pipeline, Project, Ref } from "./model.ts";
import { completed } from "./model.ts";
import type { CompiledJob } from "./pipeline/types.ts";
import type { Step } from "./progress.ts";
import { combinedStatus, nextMoves } from "./progress.ts";
import { jobToken } from "./tokens.ts";
import { TraceFile } from "./trace-file.ts";
import type { World } from "./world.ts";

export interface NewPipeline {
  readonly project: Project;
  readonly ref: Ref;
  readonly commit: Commit;
  readonly variables: Readonly<Record<string, string>>;
  readonly stages: readonly string[];
  readonly jobs: readonly CompiledJob[];
  readonly overrides?: Readonly<Record<string, unknown>>;
}

/** Makes the pipeline and its ref, and puts its first jobs into the queue. */
export async function addPipeline(world: World, wanted: NewPipeline): Promise<Pipeline> {
  const { project } = wanted;
  const id = world.nextId("pipeline");
  await project.repository.createRef(`refs/pipelines/${String(id)}`, wanted.commit);
  const earlier = [...world.pipelines.values()].filter((other) => other.project === project);
  const pipeline: Pipeline = {
    id,
    iid: earlier.length + 1,
    project,
    ref: wanted.ref,
    commit: wanted.commit,
    source: "api",
    variables: wanted.variables,
    stages: wanted.stages,
    jobs: [],
    createdAt: world.now(),
    status: "created",
    startedAt: undefined,
    finishedAt: undefined,
    updatedAt: world.now(),
  };
  world.pipelines.set(id, pipeline);
  for (const spec of wanted.jobs) addJob(world, pipeline, spec, wanted.overrides ?? {}, 0);
  advance(world, pipeline);
  return pipeline;
}

function addJob(
  world: World,
  pipeline: Pipeline,
  spec: CompiledJob,
  overrides: Readonly<Record<string, unknown>>,
  attempt: number,
): Job {
  const id = world.nextId("job");
  const job: Job = {
    id,
    token: jobToken(),
    pipeline,
    spec,
    overrides,
    attempt,
    timeoutSeconds: spec.timeoutSeconds ?? world.options.jobTimeoutSeconds,
    createdAt: world.now(),
    trace: new TraceFile(world.tracePath(id)),
    artifacts: new Map(),
    dotenv: new Map(),
    status: "created",
    allowFailure: spec.allowFailure === true,
    retried: false,
    played: false,
    queuedAt: undefined,
    startedAt: undefined,
    finishedAt: undefined,
    touchedAt: undefined,
    runnerId: undefined,
    systemId: undefined,
    failureReason: undefined,
    exitCode: undefined,
    commitSince: undefined,
    reported: { checksum: undefined, bytesize: undefined },
    debugTrace: false,
    watched: world.options.watched,
  };
  pipeline.jobs.push(job);
  world.addJob(job);
  return job;
}

/** The attempts that count. */
export function latestJobs(pipeline: Pipeline): Job[] {
  return pipeline.jobs.filter((job) => !job.retried);
}

/** Moves on whatever can be moved on, and sums the pipeline up. */
export function advance(world: World, pipeline: Pipeline) {
  for (;;) {
    const jobs = latestJobs(pipeline);
    const moves = nextMoves(pipeline.stages, jobs.map(stepOf));
    if (moves.length === 0) break;
    for (const move of moves) {
      const job = jobs.find((candidate) => candidate.spec.name === move.name);
      if (job === undefined) continue;
      if (move.to === "pending") enqueue(world, job);
      else setStatus(world, job, move.to);
    }
  }
  sumUp(world, pipeline);
}

function stepOf(job: Job): Step {
  return {
    name: job.spec.name,
    stage: job.spec.stage,
    status: job.status,
    when: job.spec.when,
    allowFailure: job.allowFailure,
    needs: job.spec.needs,
  };
}

function enqueue(world: World, job: Job) {
  job.queuedAt = world.now();
  setStatus(world, job, "pending");
  world.runners.announceWork();
}

function setStatus(world: World, job: Job, status: JobStatus) {
  if (job.status === status) return;
  job.status = status;
  if (completed(status)) {
    job.finishedAt = world.now();
    job.trace.close();
  }
  world.emit({ kind: "job", job, status });
}

function sumUp(world: World, pipeline: Pipeline) {
  const status = combinedStatus(latestJobs(pipeline).map(stepOf));
  pipeline.updatedAt = world.now();
  if (status === pipeline.status) return;
  pipeline.status = status;
  if (status === "running") pipeline.startedAt ??= world.now();
  pipeline.finishedAt = completed(status) ? world.now() : undefined;
  world.emit({ kind: "pipeline", pipeline, status });
}

/** A runner has got the job. */
export function start(world: World, job: Job, runnerId: number, systemId: string) {
  job.runnerId = runnerId;
  job.systemId = systemId;
  job.startedAt = world.now();
  job.touchedAt = world.now();
  setStatus(world, job, "running");
  sumUp(world, job.pipeline);
}

export function succeed(world: World, job: Job) {
  end(world, job, job.status === "canceling" ? "canceled" : "success");
}

export function drop(world: World, job: Job, reason: string | undefined, exitCode?: number) {
  if (job.status === "canceling") {
    end(world, job, "canceled");
    return;
  }
  job.failureReason =
    reason !== undefined && failureReasons.includes(reason) ? reason : "unknown_failure";
  job.exitCode = exitCode;
  const { allowFailure } = job.spec;
  if (typeof allowFailure !== "boolean" && exitCode !== undefined) {
    job.allowFailure = allowFailure.exitCodes.includes(exitCode);
  }
  job.retried = retriesItself(job);
  setStatus(world, job, "failed");
  if (job.retried) addNext(world, job);
  advance(world, job.pipeline);
}

function end(world: World, job: Job, status: "success" | "failed" | "canceled") {
  setStatus(world, job, status);
  advance(world, job.pipeline);
}

function retriesItself(job: Job): boolean {
  const { retry } = job.spec;
  const reason = job.failureReason ?? "unknown_failure";
  if (job.attempt >= retry.max || neverRetried.has(reason)) return false;
  const named = retry.when.some(
    (when) => when === "always" || when === reason || (reasonAliases[when] ?? []).includes(reason),
  );
  return named || (job.exitCode !== undefined && retry.exitCodes.includes(job.exitCode));
}

/** The next attempt goes into the queue at once. */
function addNext(world: World, job: Job): Job {
  const next = addJob(world, job.pipeline, job.spec, job.overrides, job.attempt + 1);
  enqueue(world, next);
  return next;
}

export type Retried =
  | { readonly kind: "retried"; readonly job: Job }
  | { readonly kind: "refused"; readonly reason: string };

export function retry(world: World, job: Job): Retried {
  const over = job.status === "success" || job.status === "failed" || job.status === "canceled";
  if (!over || job.retried) return { kind: "refused", reason: "Job is not retryable" };
  job.retried = true;
  const next = addNext(world, job);
  reopenAfter(world, next);
  advance(world, job.pipeline);
  return { kind: "retried", job: next };
}

/** What was skipped because of the job's failure gets another chance. */
function reopenAfter(world: World, job: Job) {
  const { stages } = job.pipeline;
  const reopened = new Set([job.spec.name]);
  const position = stages.indexOf(job.spec.stage);
  const jobs = latestJobs(job.pipeline).toSorted(
    (a, b) => stages.indexOf(a.spec.stage) - stages.indexOf(b.spec.stage),
  );
  for (const other of jobs) {
    const depends =
      other.spec.needs === undefined
        ? stages.indexOf(other.spec.stage) > position
        : other.spec.needs.some((need) => reopened.has(need.job));
    if (!depends) continue;
    reopened.add(other.spec.name);
    if (other.status === "skipped") {
      other.finishedAt = undefined;
      setStatus(world, other, "created");
    }
  }
}

export type Played =
  | { readonly kind: "played"; readonly job: Job }
  | { readonly kind: "refused"; readonly reason: string };

/** Starts a manual job. */
export function play(world: World, job: Job): Played {
  if (job.status !== "manual") return { kind: "refused", reason: "Unplayable Job" };
  job.played = true;
  enqueue(world, job);
  reopenAfter(world, job);
  advance(world, job.pipeline);
  return { kind: "played", job };
}

/**
 * A running job is asked to stop where its runner knows how (`cancel_gracefully`), and is simply
 * over otherwise. What is finished stays as it is.
 */
export function cancel(world: World, job: Job, options: { readonly force?: boolean } = {}) {
  if (completed(job.status) || job.status === "manual") return;
  if (job.status === "canceling" && options.force !== true) return;
  const manager = world.runnerOf(job)?.managers.get(job.systemId ?? "");
  const graceful = manager?.features["cancel_gracefully"] === true;
  if (job.status === "running" && graceful && options.force !== true) {
    setStatus(world, job, "canceling");
    sumUp(world, job.pipeline);
    return;
  }
  end(world, job, "canceled");
}

export function cancelPipeline(world: World, pipeline: Pipeline) {
  for (const job of latestJobs(pipeline).toReversed()) cancel(world, job);
}

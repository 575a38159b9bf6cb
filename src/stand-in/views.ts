// What tests and `burst demo` see of projects, pipelines and jobs: snapshots, safe to keep.

import type { Artifact, Job, JobStatus, Pipeline, Project } from "./model.ts";
import type { Site } from "./variables.ts";
import { jobUrl, pipelineUrl } from "./variables.ts";

export interface ProjectView {
  readonly id: number;
  readonly path: string;
  readonly name: string;
  readonly folder: string | undefined;
}

export interface PipelineView {
  readonly id: number;
  readonly project: string;
  readonly status: JobStatus;
  readonly ref: string;
  readonly sha: string;
  readonly url: string;
  readonly stages: readonly string[];
  /** Every attempt, in the order they were made. */
  readonly jobs: readonly JobView[];
}

export interface JobView {
  readonly id: number;
  readonly token: string;
  readonly name: string;
  readonly stage: string;
  readonly status: JobStatus;
  readonly pipelineId: number;
  readonly project: string;
  readonly url: string;
  readonly allowFailure: boolean;
  readonly attempt: number;
  /** A later attempt has taken its place. */
  readonly retried: boolean;
  readonly failureReason: string | undefined;
  readonly exitCode: number | undefined;
  readonly traceSize: number;
  /** Of the stored log, as a runner would report it. */
  readonly traceChecksum: string;
  /** What the runner's last PUT said of its log. */
  readonly reported: {
    readonly checksum: string | undefined;
    readonly bytesize: number | undefined;
  };
  readonly debugTrace: boolean;
  /** Of the job and of its services, as the pipeline file names them. */
  readonly images: readonly string[];
  readonly artifacts: readonly Artifact[];
  readonly queuedAt: number | undefined;
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  /** The log's bytes, as they are when asked. */
  trace(): Buffer;
}

export function projectView(project: Project): ProjectView {
  const { id, path, name, folder } = project;
  return { id, path, name, folder };
}

export function pipelineView(site: Site, pipeline: Pipeline): PipelineView {
  return {
    id: pipeline.id,
    project: pipeline.project.path,
    status: pipeline.status,
    ref: pipeline.ref.name,
    sha: pipeline.commit.sha,
    url: pipelineUrl(site, pipeline),
    stages: pipeline.stages,
    jobs: pipeline.jobs.map((job) => jobView(site, job)),
  };
}

export function jobView(site: Site, job: Job): JobView {
  return {
    id: job.id,
    token: job.token,
    name: job.spec.name,
    stage: job.spec.stage,
    status: job.status,
    pipelineId: job.pipeline.id,
    project: job.pipeline.project.path,
    url: jobUrl(site, job),
    allowFailure: job.allowFailure,
    attempt: job.attempt,
    retried: job.retried,
    failureReason: job.failureReason,
    exitCode: job.exitCode,
    traceSize: job.trace.size,
    traceChecksum: job.trace.checksum,
    reported: job.reported,
    debugTrace: job.debugTrace,
    images: imagesOf(job),
    artifacts: [...job.artifacts.values()],
    queuedAt: job.queuedAt,
    startedAt: job.startedAt,
    finishedAt: job.finishedAt,
    trace: () => job.trace.read(),
  };
}

function imagesOf({ spec }: Job): readonly string[] {
  const { image, services } = spec.payload;
  return [...(image === null ? [] : [image]), ...(services ?? [])].map(({ name }) => name);
}

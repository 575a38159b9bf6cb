// What the stand-in knows: projects, pipelines, jobs, artifacts. Plain records that only the
// engine's files change; statuses and reasons are GitLab's words.

import type { CompiledJob } from "./pipeline/types.ts";
import type { Repository } from "./repository.ts";
import type { TraceFile } from "./trace-file.ts";

export type JobStatus =
  | "created"
  | "pending"
  | "running"
  | "canceling"
  | "success"
  | "failed"
  | "canceled"
  | "skipped"
  | "manual";

export type PipelineStatus = JobStatus;

/** Statuses in which a job's token opens doors. */
export function executing(status: JobStatus): boolean {
  return status === "running" || status === "canceling";
}

export function completed(status: JobStatus): boolean {
  return (
    status === "success" || status === "failed" || status === "canceled" || status === "skipped"
  );
}

export interface Project {
  readonly id: number;
  readonly name: string;
  /** `root/hello`. */
  readonly path: string;
  /** Where its files came from; undefined for a project made up for raw jobs. */
  readonly folder: string | undefined;
  readonly repository: Repository;
  readonly createdAt: number;
}

export interface Commit {
  readonly sha: string;
  readonly title: string;
  readonly message: string;
  readonly author: string;
  /** ISO 8601. */
  readonly timestamp: string;
}

export interface Ref {
  readonly name: string;
  readonly kind: "branch" | "tag";
}

export interface Pipeline {
  readonly id: number;
  readonly iid: number;
  readonly project: Project;
  readonly ref: Ref;
  readonly commit: Commit;
  readonly source: "api";
  /** Given with the request that made it. */
  readonly variables: Readonly<Record<string, string>>;
  readonly stages: readonly string[];
  /** Every attempt; `retried` marks those that a later one replaced. */
  readonly jobs: Job[];
  readonly createdAt: number;
  status: PipelineStatus;
  startedAt: number | undefined;
  finishedAt: number | undefined;
  updatedAt: number;
}

export interface Job {
  readonly id: number;
  readonly token: string;
  readonly pipeline: Pipeline;
  readonly spec: CompiledJob;
  /** Put over the payload as they are: raw jobs only. */
  readonly overrides: Readonly<Record<string, unknown>>;
  readonly attempt: number;
  readonly timeoutSeconds: number;
  readonly createdAt: number;
  readonly trace: TraceFile;
  readonly artifacts: Map<string, Artifact>;
  /** From a dotenv report; jobs that depend on this one get them. */
  readonly dotenv: Map<string, string>;
  status: JobStatus;
  /** Fixed at the start for a yes or no; with exit codes only the end decides. */
  allowFailure: boolean;
  retried: boolean;
  /** A manual job that somebody started. */
  played: boolean;
  queuedAt: number | undefined;
  startedAt: number | undefined;
  finishedAt: number | undefined;
  /** Last PATCH or PUT. */
  touchedAt: number | undefined;
  runnerId: number | undefined;
  systemId: string | undefined;
  failureReason: string | undefined;
  exitCode: number | undefined;
  /** When the first final PUT with a checksum came. */
  commitSince: number | undefined;
  /** What the last PUT said of the trace. */
  reported: { readonly checksum: string | undefined; readonly bytesize: number | undefined };
  debugTrace: boolean;
  /** Somebody looks at the log: updates are asked for every 3 s. */
  watched: boolean;
}

export interface Artifact {
  readonly type: string;
  readonly format: string;
  readonly filename: string;
  readonly size: number;
  readonly sha256: string;
  /** On the stand-in's disk. */
  readonly file: string;
  readonly createdAt: number;
  readonly expireAt: number | undefined;
}

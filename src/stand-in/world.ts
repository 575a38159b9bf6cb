// The state of one stand-in: who is registered, what exists, what time it is. The engine's
// functions change it; the HTTP handlers read it and call them.

import { join } from "node:path";
import type { Artifact, Job, JobStatus, Pipeline, Project } from "./model.ts";
import type { Runner } from "./runners.ts";
import { Runners } from "./runners.ts";

export type StandInEvent =
  | { readonly kind: "job"; readonly job: Job; readonly status: JobStatus }
  | { readonly kind: "pipeline"; readonly pipeline: Pipeline; readonly status: JobStatus }
  | { readonly kind: "trace"; readonly job: Job; readonly bytes: Buffer }
  | { readonly kind: "artifact"; readonly job: Job; readonly artifact: Artifact };

export interface WorldOptions {
  readonly directory: string;
  readonly now: () => number;
  readonly jobTimeoutSeconds: number;
  readonly traceCommitDelaySeconds: number;
  readonly traceLimitBytes: number;
  readonly artifactLimitBytes: number;
  /** Every job's log counts as looked at, so that runners send updates every 3 s. */
  readonly watched: boolean;
}

export class World {
  readonly options: WorldOptions;
  readonly runners: Runners;
  readonly projects = new Map<number, Project>();
  readonly pipelines = new Map<number, Pipeline>();
  readonly jobs = new Map<number, Job>();
  /** How many of the next claims lose a made-up race. */
  racesToLose = 0;
  readonly #jobsByToken = new Map<string, Job>();
  readonly #listeners = new Set<(event: StandInEvent) => void>();
  readonly #next = { project: 1, pipeline: 1, job: 1 };

  constructor(options: WorldOptions) {
    this.options = options;
    this.runners = new Runners(options.now);
  }

  now(): number {
    return this.options.now();
  }

  nextId(kind: "project" | "pipeline" | "job"): number {
    const id = this.#next[kind];
    this.#next[kind] += 1;
    return id;
  }

  addJob(job: Job) {
    this.jobs.set(job.id, job);
    this.#jobsByToken.set(job.token, job);
  }

  jobByToken(token: string): Job | undefined {
    return this.#jobsByToken.get(token);
  }

  /** By number or by path, as GitLab's `:id`. */
  project(idOrPath: number | string): Project | undefined {
    const id = typeof idOrPath === "number" ? idOrPath : Number(idOrPath);
    const byId = this.projects.get(id);
    return byId ?? [...this.projects.values()].find((project) => project.path === idOrPath);
  }

  tracePath(jobId: number): string {
    return join(this.options.directory, "traces", `${String(jobId)}.log`);
  }

  artifactsDirectory(): string {
    return join(this.options.directory, "artifacts");
  }

  repositoryPath(projectId: number): string {
    return join(this.options.directory, "repositories", `${String(projectId)}.git`);
  }

  runnerOf(job: Job): Runner | undefined {
    return job.runnerId === undefined ? undefined : this.runners.byId(job.runnerId);
  }

  /** Lets go of the files of jobs that will not end any more. */
  closeTraces() {
    for (const job of this.jobs.values()) job.trace.close();
  }

  listen(listener: (event: StandInEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  emit(event: StandInEvent) {
    for (const listener of this.#listeners) listener(event);
  }
}

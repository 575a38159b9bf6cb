// A running stand-in as its own process sees it: what tests and `burst demo` ask and do without HTTP.

import type { FaultRequest } from "./faults.ts";
import type { JobStatus } from "./model.ts";
import type { RawJob } from "./raw-job.ts";
import type { RecordedRequest } from "./request-log.ts";
import type { StorageRequest } from "./storage.ts";
import type { JobView, PipelineView, ProjectView } from "./views.ts";
import type { StandInEvent } from "./world.ts";

export type PipelineCreated =
  | {
      readonly kind: "pipeline";
      readonly pipeline: PipelineView;
      readonly warnings: readonly string[];
    }
  | { readonly kind: "invalid"; readonly errors: readonly string[] };

/** Projects are named by number or by path. An unknown one, or an unknown job, is a RangeError. */
export interface StandIn {
  readonly url: string;
  readonly storageUrl: string;
  /** Of the runner that exists from the start. */
  readonly runnerToken: string;
  readonly apiToken: string;
  close(): Promise<void>;
  listen(listener: (event: StandInEvent) => void): () => void;

  projects(): readonly ProjectView[];
  addProject(folder: string): Promise<ProjectView>;
  /** A project from texts, path to content. */
  addFiles(name: string, files: Readonly<Record<string, string>>): Promise<ProjectView>;
  /** Commits the project's folder as it is now on top of `main`; gives the new sha. */
  commitFolder(project: number | string): Promise<string>;
  /** A branch or tag (`refs/heads/…`, `refs/tags/…`) where `main` is now. */
  createRef(project: number | string, name: string): Promise<void>;

  createPipeline(
    project: number | string,
    ref?: string,
    variables?: Readonly<Record<string, string>>,
  ): Promise<PipelineCreated>;
  pipeline(id: number): PipelineView;
  /** One job in a pipeline of its own, without a pipeline file. */
  enqueue(raw?: RawJob): Promise<JobView>;
  jobs(): readonly JobView[];
  job(id: number): JobView;
  cancel(jobId: number, options?: { readonly force?: boolean }): void;
  retry(jobId: number): "retried" | "refused";
  play(jobId: number): "played" | "refused";
  /** Asks for updates of the log every 3 s from now on. */
  watch(jobId: number, watched?: boolean): void;
  expireArtifacts(jobId: number): void;
  /** Rejects when the time is over, saying what the job or pipeline was doing. */
  waitForJob(jobId: number, statuses?: readonly JobStatus[], timeoutMs?: number): Promise<JobView>;
  waitForPipeline(id: number, timeoutMs?: number): Promise<PipelineView>;

  pauseRunner(paused: boolean): void;
  /** The next so many claims end in 409. */
  loseRaces(count: number): void;
  addFault(fault: FaultRequest): void;
  clearFaults(): void;
  /** Drops what is beyond its time by the injected clock; also done before every request. */
  tick(): void;
  /** Everything below /api that came in, oldest first. */
  requests(): readonly RecordedRequest[];
  clearRequests(): void;
  storageRequests(): readonly StorageRequest[];
}

// The accessors of a running stand-in, over its world.

import { addPipeline, cancel, play, retry } from "./engine.ts";
import type { FaultRequest, Faults } from "./faults.ts";
import { parseFault } from "./faults.ts";
import { importFiles, importFolder } from "./import-project.ts";
import type { Job, JobStatus, Pipeline, Project } from "./model.ts";
import { completed } from "./model.ts";
import { runPipeline } from "./pipeline-run.ts";
import type { RawJob } from "./raw-job.ts";
import { rawSpec } from "./raw-job.ts";
import { defaultBranch } from "./repository.ts";
import type { RecordedRequest, RequestLog } from "./request-log.ts";
import type { Runner } from "./runners.ts";
import { dropStale } from "./stale-jobs.ts";
import type { PipelineCreated, StandIn } from "./stand-in.ts";
import type { Storage, StorageRequest } from "./storage.ts";
import type { Site } from "./variables.ts";
import type { JobView, PipelineView, ProjectView } from "./views.ts";
import { jobView, pipelineView, projectView } from "./views.ts";
import type { StandInEvent, World } from "./world.ts";

export interface StandInParts {
  readonly world: World;
  readonly site: Site;
  /** A folder without any settings of git's in it. */
  readonly home: string;
  readonly runner: Runner;
  readonly apiToken: string;
  readonly storage: Storage;
  readonly faults: Faults;
  readonly log: RequestLog;
  readonly close: () => Promise<void>;
}

const defaultWaitMs = 30_000;
const rawProject = { name: "raw", files: { "README.md": "A project for single jobs.\n" } };

export class RunningStandIn implements StandIn {
  readonly url: string;
  readonly storageUrl: string;
  readonly runnerToken: string;
  readonly apiToken: string;
  readonly #parts: StandInParts;
  readonly #world: World;
  readonly #site: Site;

  constructor(parts: StandInParts) {
    this.#parts = parts;
    this.#world = parts.world;
    this.#site = parts.site;
    this.url = parts.site.url;
    this.storageUrl = parts.storage.url;
    this.runnerToken = parts.runner.token;
    this.apiToken = parts.apiToken;
  }

  close(): Promise<void> {
    return this.#parts.close();
  }

  listen(listener: (event: StandInEvent) => void): () => void {
    return this.#world.listen(listener);
  }

  projects(): readonly ProjectView[] {
    return [...this.#world.projects.values()].map(projectView);
  }

  async addProject(folder: string): Promise<ProjectView> {
    return projectView(await importFolder(this.#world, this.#parts.home, folder));
  }

  async addFiles(name: string, files: Readonly<Record<string, string>>): Promise<ProjectView> {
    return projectView(await importFiles(this.#world, this.#parts.home, name, files));
  }

  async commitFolder(project: number | string): Promise<string> {
    const { repository, folder } = this.#project(project);
    if (folder === undefined) throw new RangeError(`project ${project} comes from no folder`);
    return (await repository.commitFolder(folder, this.#world.now())).sha;
  }

  createRef(project: number | string, name: string): Promise<void> {
    return this.#project(project).repository.createRef(name);
  }

  async createPipeline(
    project: number | string,
    ref = defaultBranch,
    variables: Readonly<Record<string, string>> = {},
  ): Promise<PipelineCreated> {
    const wanted = { ref, variables };
    const run = await runPipeline(this.#world, this.#site, this.#project(project), wanted);
    if (run.kind === "invalid") return run;
    return { ...run, pipeline: pipelineView(this.#site, run.pipeline) };
  }

  pipeline(id: number): PipelineView {
    return pipelineView(this.#site, this.#pipeline(id));
  }

  async enqueue(raw: RawJob = {}): Promise<JobView> {
    const project = await this.#projectFor(raw);
    const found = project.repository.resolve(defaultBranch);
    if (found === undefined) throw new RangeError(`${project.path} has no ${defaultBranch}`);
    const spec = rawSpec(raw);
    const pipeline = await addPipeline(this.#world, {
      project,
      ...found,
      variables: {},
      stages: [spec.stage],
      jobs: [spec],
      overrides: raw.payload ?? {},
    });
    return this.job(pipeline.jobs[0]?.id ?? 0);
  }

  jobs(): readonly JobView[] {
    return [...this.#world.jobs.values()].map((job) => jobView(this.#site, job));
  }

  job(id: number): JobView {
    return jobView(this.#site, this.#job(id));
  }

  cancel(jobId: number, options?: { readonly force?: boolean }): void {
    cancel(this.#world, this.#job(jobId), options);
  }

  retry(jobId: number): "retried" | "refused" {
    return retry(this.#world, this.#job(jobId)).kind;
  }

  play(jobId: number): "played" | "refused" {
    return play(this.#world, this.#job(jobId)).kind;
  }

  watch(jobId: number, watched = true): void {
    this.#job(jobId).watched = watched;
  }

  expireArtifacts(jobId: number): void {
    const { artifacts } = this.#job(jobId);
    for (const [type, artifact] of artifacts) {
      artifacts.set(type, { ...artifact, expireAt: this.#world.now() });
    }
  }

  waitForJob(
    jobId: number,
    statuses?: readonly JobStatus[],
    timeoutMs = defaultWaitMs,
  ): Promise<JobView> {
    const job = this.#job(jobId);
    return this.#waitUntil(
      () => (statuses?.includes(job.status) ?? completed(job.status)) && this.job(jobId),
      timeoutMs,
      () => `job ${String(jobId)} is ${job.status}`,
    );
  }

  waitForPipeline(id: number, timeoutMs = defaultWaitMs): Promise<PipelineView> {
    const pipeline = this.#pipeline(id);
    return this.#waitUntil(
      () => completed(pipeline.status) && this.pipeline(id),
      timeoutMs,
      () => `pipeline ${String(id)} is ${pipeline.status}`,
    );
  }

  pauseRunner(paused: boolean): void {
    this.#world.runners.change(this.#parts.runner, { paused });
  }

  loseRaces(count: number): void {
    this.#world.racesToLose = count;
  }

  addFault(fault: FaultRequest): void {
    const parsed = parseFault(fault);
    if (parsed.kind === "invalid") throw new RangeError(parsed.message);
    this.#parts.faults.add(parsed.fault);
  }

  clearFaults(): void {
    this.#parts.faults.clear();
  }

  tick(): void {
    dropStale(this.#world);
  }

  requests(): readonly RecordedRequest[] {
    return this.#parts.log.all();
  }

  clearRequests(): void {
    this.#parts.log.clear();
  }

  storageRequests(): readonly StorageRequest[] {
    return this.#parts.storage.requests();
  }

  #job(id: number): Job {
    const job = this.#world.jobs.get(id);
    if (job === undefined) throw new RangeError(`the stand-in has no job ${String(id)}`);
    return job;
  }

  #pipeline(id: number): Pipeline {
    const pipeline = this.#world.pipelines.get(id);
    if (pipeline === undefined) throw new RangeError(`the stand-in has no pipeline ${String(id)}`);
    return pipeline;
  }

  #project(idOrPath: number | string): Project {
    const project = this.#world.project(idOrPath);
    if (project === undefined) throw new RangeError(`the stand-in has no project ${idOrPath}`);
    return project;
  }

  /** The project a raw job names, else the first one, else one made up for it. */
  async #projectFor(raw: RawJob): Promise<Project> {
    if (raw.project !== undefined) return this.#project(raw.project);
    const [first] = this.#world.projects.values();
    const { name, files } = rawProject;
    return first ?? importFiles(this.#world, this.#parts.home, name, files);
  }

  /** Looks now and after every event, until there is something to see. */
  #waitUntil<T>(look: () => T | false, timeoutMs: number, describe: () => string): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`after ${String(timeoutMs)} ms ${describe()}`));
      }, timeoutMs);
      const stop = this.#world.listen(check);
      check();
      function check() {
        const found = look();
        if (found === false) return;
        clearTimeout(timer);
        stop();
        resolve(found);
      }
    });
  }
}

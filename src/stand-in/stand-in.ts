// A running stand-in as its own process sees it: what tests and `burst demo` ask and do without HTTP.

import type { Played, Retried } from "./engine.ts";
import { addPipeline, cancel, dropStale, play, retry } from "./engine.ts";
import type { FaultRequest, Faults } from "./faults.ts";
import { parseFault } from "./faults.ts";
import { importFiles, importFolder } from "./import-project.ts";
import type { Job, JobStatus, Project } from "./model.ts";
import { completed } from "./model.ts";
import { runPipeline } from "./pipeline-run.ts";
import type { RawJob } from "./raw-job.ts";
import { rawSpec } from "./raw-job.ts";
import { defaultBranch } from "./repository.ts";
import type { RecordedRequest, RequestLog } from "./request-log.ts";
import type { Runner } from "./runners.ts";
import type { Storage, StorageRequest } from "./storage.ts";
import type { Site } from "./variables.ts";
import type { JobView, PipelineView, ProjectView } from "./views.ts";
import { jobView, pipelineView, projectView } from "./views.ts";
import type { StandInEvent, World } from "./world.ts";

export type PipelineCreated =
  | {
      readonly kind: "pipeline";
      readonly pipeline: PipelineView;
      readonly warnings: readonly string[];
    }
  | { readonly kind: "invalid"; readonly errors: readonly string[] };

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
  retry(jobId: number): Retried["kind"];
  play(jobId: number): Played["kind"];
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

export interface StandInParts {
  readonly world: World;
  readonly site: Site;
  readonly home: string;
  readonly runner: Runner;
  readonly apiToken: string;
  readonly storage: Storage;
  readonly faults: Faults;
  readonly log: RequestLog;
  readonly close: () => Promise<void>;
}

const defaultWaitMs = 30_000;

export function standInOf(parts: StandInParts): StandIn {
  const { world, site, home, runner, storage, faults, log } = parts;

  function jobOf(id: number): Job {
    const job = world.jobs.get(id);
    if (job === undefined) throw new RangeError(`the stand-in has no job ${String(id)}`);
    return job;
  }

  function projectOf(idOrPath: number | string): Project {
    const project = world.project(idOrPath);
    if (project === undefined) throw new RangeError(`the stand-in has no project ${idOrPath}`);
    return project;
  }

  function pipelineOf(id: number): PipelineView {
    const pipeline = world.pipelines.get(id);
    if (pipeline === undefined) throw new RangeError(`the stand-in has no pipeline ${String(id)}`);
    return pipelineView(site, pipeline);
  }

  /** Looks now and after every event. */
  function waitUntil<T>(
    look: () => T | undefined,
    timeoutMs: number,
    describe: () => string,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`after ${String(timeoutMs)} ms ${describe()}`));
      }, timeoutMs);
      const stop = world.listen(check);
      check();
      function check() {
        const found = look();
        if (found === undefined) return;
        clearTimeout(timer);
        stop();
        resolve(found);
      }
    });
  }

  return {
    url: site.url,
    storageUrl: storage.url,
    runnerToken: runner.token,
    apiToken: parts.apiToken,
    close: parts.close,
    listen: (listener) => world.listen(listener),
    projects: () => [...world.projects.values()].map(projectView),
    addProject: async (folder) => projectView(await importFolder(world, home, folder)),
    addFiles: async (name, files) => projectView(await importFiles(world, home, name, files)),
    commitFolder: async (idOrPath) => {
      const { repository, folder } = projectOf(idOrPath);
      if (folder === undefined) throw new RangeError(`project ${idOrPath} comes from no folder`);
      return (await repository.commitFolder(folder, world.now())).sha;
    },
    createRef: (project, name) => projectOf(project).repository.createRef(name),
    createPipeline: async (project, ref = defaultBranch, variables = {}) => {
      const run = await runPipeline(world, site, projectOf(project), { ref, variables });
      return run.kind === "invalid" ? run : { ...run, pipeline: pipelineView(site, run.pipeline) };
    },
    pipeline: pipelineOf,
    enqueue: async (raw = {}) => jobView(site, await enqueueRaw(parts, raw)),
    jobs: () => [...world.jobs.values()].map((job) => jobView(site, job)),
    job: (id) => jobView(site, jobOf(id)),
    cancel: (jobId, options) => cancel(world, jobOf(jobId), options),
    retry: (jobId) => retry(world, jobOf(jobId)).kind,
    play: (jobId) => play(world, jobOf(jobId)).kind,
    watch: (jobId, watched = true) => {
      jobOf(jobId).watched = watched;
    },
    expireArtifacts: (jobId) => {
      const { artifacts } = jobOf(jobId);
      for (const [type, artifact] of artifacts) {
        artifacts.set(type, { ...artifact, expireAt: world.now() });
      }
    },
    waitForJob: (jobId, statuses, timeoutMs = defaultWaitMs) =>
      waitUntil(
        () => {
          const job = jobOf(jobId);
          const reached = statuses?.includes(job.status) ?? completed(job.status);
          return reached ? jobView(site, job) : undefined;
        },
        timeoutMs,
        () => `job ${String(jobId)} is ${jobOf(jobId).status}`,
      ),
    waitForPipeline: (id, timeoutMs = defaultWaitMs) =>
      waitUntil(
        () => {
          const pipeline = pipelineOf(id);
          return completed(pipeline.status) ? pipeline : undefined;
        },
        timeoutMs,
        () => `pipeline ${String(id)} is ${pipelineOf(id).status}`,
      ),
    pauseRunner: (paused) => world.runners.change(runner, { paused }),
    loseRaces: (count) => {
      world.racesToLose = count;
    },
    addFault: (wanted) => {
      const parsed = parseFault(wanted);
      if (parsed.kind === "invalid") throw new RangeError(parsed.message);
      faults.add(parsed.fault);
    },
    clearFaults: () => faults.clear(),
    tick: () => dropStale(world),
    requests: () => log.all(),
    clearRequests: () => log.clear(),
    storageRequests: () => storage.requests(),
  };
}

const rawProject = { name: "raw", files: { "README.md": "A project for single jobs.\n" } };

async function enqueueRaw(parts: StandInParts, raw: RawJob): Promise<Job> {
  const { world, home } = parts;
  const [first] = world.projects.values();
  const project =
    (raw.project === undefined ? first : world.project(raw.project)) ??
    (await importFiles(world, home, rawProject.name, rawProject.files));
  const found = project.repository.resolve(defaultBranch);
  if (found === undefined) throw new RangeError(`project ${project.path} has no ${defaultBranch}`);
  const spec = rawSpec(raw);
  const pipeline = await addPipeline(world, {
    project,
    ...found,
    variables: {},
    stages: [spec.stage],
    jobs: [spec],
    overrides: raw.payload ?? {},
  });
  const [job] = pipeline.jobs;
  if (job === undefined) throw new RangeError("the job is not in its pipeline");
  return job;
}

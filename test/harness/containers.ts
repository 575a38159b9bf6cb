// Pipelines in containers, in a test: a whole runner on the docker executor, a project of texts, and what a reader of
// GitLab's job page would see.

import { afterAll } from "vitest";
import { connectEngine } from "../../src/local/docker/engine.ts";
import type { Engine } from "../../src/local/docker/engine.ts";
import { ownerLabel, thisOwner } from "../../src/local/docker/labels.ts";
import type { RawJob } from "../../src/stand-in/raw-job.ts";
import type { StandIn } from "../../src/stand-in/stand-in.ts";
import type { JobView, PipelineView } from "../../src/stand-in/views.ts";
import { plainText } from "./project.ts";
import { startRunner } from "./runner.ts";
import type { TestRunner, TestRunnerOptions } from "./runner.ts";

export interface Contained {
  readonly runner: TestRunner;
  readonly gitlab: StandIn;
  readonly engine: Engine;
  /** Starts a pipeline of this text, in a project of its own. */
  start(yaml: string): Promise<PipelineView>;
  /** The same, seen to its end. */
  run(yaml: string): Promise<PipelineView>;
  /** Adds one job that no pipeline file can say, and sees it to its end. */
  enqueue(job: RawJob): Promise<JobView>;
  /** The last one of this name. */
  job(name: string): JobView;
  trace(name: string): string;
  /** Waits until GitLab has this text in the job's trace. */
  traceHas(name: string, text: string | RegExp): Promise<void>;
  /** The containers of a job of this test file's, by the ends of their names: "agent", "job", "svc-0-redis". */
  containers(jobId: number): Promise<Readonly<Record<string, string>>>;
}

export interface ContainedOptions extends TestRunnerOptions {
  /** Words before the jobs, for what all of them share. @default no git */
  readonly head?: string;
}

const patience = 220_000;
/** Most tests are not about sources. */
const usualHead = "variables: {GIT_STRATEGY: none}\n";

/** The runner ends with the test file. */
export async function openContained(options: ContainedOptions = {}): Promise<Contained> {
  const { settings, head = usualHead, ...rest } = options;
  const runner = await startRunner({
    executor: "docker",
    concurrent: 4,
    ...rest,
    settings: { pull_policy: "if-not-present", ...settings },
  });
  afterAll(() => runner.close());
  const { gitlab } = runner;
  const engine = await connectEngine(process.env);
  let projects = 0;
  const start = async (yaml: string) => {
    projects++;
    const name = `p${projects}`;
    await gitlab.addFiles(name, { ".gitlab-ci.yml": head + yaml });
    const created = await gitlab.createPipeline(`root/${name}`);
    if (created.kind === "invalid") throw new Error(created.errors.join("\n"));
    return created.pipeline;
  };
  const job = (name: string) => {
    const found = gitlab.jobs().findLast((candidate) => candidate.name === name);
    if (found === undefined) throw new Error(`there is no job "${name}"`);
    return found;
  };
  const trace = (name: string) => plainText(job(name).trace());
  const broken = runner.ended.then(() => {
    throw new Error(`the runner has ended: ${runner.diagnostics.join("\n")}`);
  });
  broken.catch(() => undefined);
  return {
    runner,
    gitlab,
    engine,
    start,
    async run(yaml) {
      const pipeline = await start(yaml);
      const ended = await Promise.race([gitlab.waitForPipeline(pipeline.id, patience), broken]);
      await settled(runner);
      return ended;
    },
    async enqueue(raw) {
      if (gitlab.projects().length === 0) await gitlab.addFiles("raw", { "a.txt": "a\n" });
      const { id } = await gitlab.enqueue({ variables: { GIT_STRATEGY: "none" }, ...raw });
      return await Promise.race([gitlab.waitForJob(id, undefined, patience), broken]);
    },
    job,
    trace,
    async traceHas(name, text) {
      const has = () => {
        const seen = trace(name);
        return typeof text === "string" ? seen.includes(text) : text.test(seen);
      };
      await until(`${String(text)} in the trace of ${name}`, has, () => trace(name));
    },
    async containers(jobId) {
      const label = [`${ownerLabel}=${await thisOwner()}`];
      const filters = { name: [`burst-${jobId}-`], label };
      const listed = await engine.listContainers({ all: true, filters });
      return Object.fromEntries(
        listed.map(({ Id, Names }) => [(Names[0] ?? "").split("-").slice(3).join("-"), Id]),
      );
    },
  };
}

/** GitLab knows a result a moment before the runner has tidied up after the job. */
export async function settled(runner: TestRunner): Promise<void> {
  const count = (wanted: boolean) =>
    runner.events.filter(({ event }) => event !== "started" && (event === "claimed") === wanted)
      .length;
  await until("all jobs to be over for the runner", () => count(true) === count(false));
}

export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  more: () => string = () => "",
): Promise<void> {
  const end = performance.now() + patience;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}\n${more()}`);
    await pause(50);
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

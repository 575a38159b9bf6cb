// A folder with a pipeline file, run by a whole runner: pushed to the stand-in, its jobs run to their
// ends by the real agent, and what a reader of GitLab's job page would see.

import { cpSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import type { RawJob } from "../../src/stand-in/raw-job.ts";
import type { RecordedRequest } from "../../src/stand-in/request-log.ts";
import type { StandIn } from "../../src/stand-in/stand-in.ts";
import type { JobView, PipelineView, ProjectView } from "../../src/stand-in/views.ts";
import { agentProgram } from "./agent-program.ts";
import { startRunner } from "./runner.ts";
import type { TestRunner, TestRunnerOptions } from "./runner.ts";

export interface FolderOptions extends TestRunnerOptions {
  /** Given to the pipeline, as to one started by hand. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Jobs besides the pipeline's, for what no pipeline file can say (masked variables, inputs). */
  readonly raw?: readonly RawJob[];
  /** Before the pipeline begins. */
  readonly prepare?: (gitlab: StandIn) => void;
  /** Instead of one commit with the folder as it is: gets a copy of it. */
  readonly push?: (gitlab: StandIn, folder: string) => Promise<ProjectView>;
}

export interface StartedFolder {
  readonly runner: TestRunner;
  /** The last attempt of the job with this name. */
  job(name: string): JobView;
  /** As a reader sees it: without time stamps, colours and the marks of sections. */
  trace(name: string): string;
  /** What the runner sent about the job: "PATCH", "PUT", "POST", "GET". */
  requests(name: string, method: string): readonly RecordedRequest[];
  /** Resolves when every job has ended, and the runner knows. */
  readonly finished: Promise<PipelineView>;
}

const patience = 120_000;

/** Pushes the test's own folder and starts its pipeline. The runner ends with the test file. */
export async function startFolder(
  testUrl: string,
  options: FolderOptions = {},
): Promise<StartedFolder> {
  // The path of the sources, which the executor adds, is an argument that the agent never looks at.
  const nodeArguments = [await agentProgram()];
  const runner = await startRunner({ concurrent: 4, nodeArguments, ...options });
  afterAll(() => runner.close());
  try {
    return await startIn(runner, dirname(fileURLToPath(testUrl)), options);
  } catch (error) {
    await runner.close();
    throw error;
  }
}

/** The same, seen to its end. */
export async function runFolder(
  testUrl: string,
  options: FolderOptions = {},
): Promise<StartedFolder & { readonly pipeline: PipelineView }> {
  const started = await startFolder(testUrl, options);
  return { ...started, pipeline: await started.finished };
}

async function startIn(
  runner: TestRunner,
  folder: string,
  options: FolderOptions,
): Promise<StartedFolder> {
  const { gitlab } = runner;
  options.prepare?.(gitlab);
  const project =
    options.push === undefined
      ? await gitlab.addProject(folder)
      : await options.push(gitlab, copyOf(folder, runner.folder));
  const created = await gitlab.createPipeline(project.id, undefined, options.variables);
  if (created.kind === "invalid") throw new Error(created.errors.join("\n"));
  const raw: number[] = [];
  for (const job of options.raw ?? []) {
    raw.push((await gitlab.enqueue({ project: project.id, ...job })).id);
  }
  const job = (name: string) => {
    const found = gitlab.jobs().findLast((candidate) => candidate.name === name);
    if (found === undefined) throw new Error(`there is no job "${name}"`);
    return found;
  };
  const finish = async () => {
    const pipeline = await gitlab.waitForPipeline(created.pipeline.id, patience);
    for (const id of raw) await gitlab.waitForJob(id, undefined, patience);
    await settled(runner);
    return pipeline;
  };
  const broken = new Promise<never>((_resolve, reject) => {
    runner.ended.catch(reject);
  });
  const finished = Promise.race([finish(), broken]);
  // Whoever only starts the folder need not wait for it.
  finished.catch(() => undefined);
  return {
    runner,
    job,
    trace: (name) => plainText(job(name).trace()),
    requests: (name, method) => {
      const path = `/api/v4/jobs/${String(job(name).id)}`;
      return gitlab
        .requests()
        .filter((seen) => seen.method === method && (seen.path + "/").startsWith(`${path}/`));
    },
    finished,
  };
}

/** Under its own name, which becomes the project's. */
function copyOf(folder: string, below: string): string {
  const copy = join(below, "projects", basename(folder));
  cpSync(folder, copy, { recursive: true });
  return copy;
}

/** GitLab knows a result a moment before the runner has tidied up after the job. */
async function settled(runner: TestRunner): Promise<void> {
  const open = () =>
    runner.events.filter(({ event }) => event === "claimed").length -
    runner.events.filter(({ event }) => event !== "claimed" && event !== "started").length;
  for (const until = Date.now() + patience; open() > 0 && Date.now() < until;) await pause(20);
}

/** Until the condition holds; for what happens outside of GitLab's sight. */
export async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + patience; !condition();) {
    if (Date.now() > end) throw new Error(`waited ${String(patience)} ms in vain`);
    await pause(20);
  }
}

/** A stamped or plain trace without stamps, colours and marks. */
export function plainText(trace: Uint8Array): string {
  return withoutStamps(Buffer.from(trace).toString("utf8"))
    .replaceAll(/section_(?:start|end):\d+:[^\r]*\r/g, "")
    .replaceAll(/\u001B\[[0-9;]*[mK]/g, "");
}

/** `2026-01-01T00:00:00.000000Z 01O+`: the time, the stream, and whether its last line goes on. */
const [streamAt, flagAt, textAt] = [28, 31, 32];

function withoutStamps(text: string): string {
  if (!/^\d{4}-\d\d-\d\dT/.test(text)) return text;
  const lines: string[] = [];
  const lastOf = new Map<string, number>();
  for (const line of text.split("\n")) {
    const stream = line.slice(streamAt, flagAt);
    const goesOn = line[flagAt] === "+" ? lastOf.get(stream) : undefined;
    if (goesOn === undefined) lastOf.set(stream, lines.length);
    lines[goesOn ?? lines.length] = (lines[goesOn ?? -1] ?? "") + line.slice(textAt);
  }
  return lines.join("\n");
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

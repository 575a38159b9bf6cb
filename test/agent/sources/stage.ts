// One get_sources stage as a job would run it, with everything it says kept for the test to look at.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseJob } from "../../../src/core/job.ts";
import type { Job } from "../../../src/core/job.ts";
import type { JobLog } from "../../../src/core/job-log.ts";
import { readBool } from "../../../src/core/go-bool.ts";
import { sleep } from "../../../src/agent/clock.ts";
import { getSources } from "../../../src/agent/sources/get-sources.ts";
import type { GetSourcesInput } from "../../../src/agent/sources/get-sources.ts";
import type { Vars } from "../../../src/agent/sources/source-variables.ts";
import { git, plainEnvironment } from "./project.ts";

export const token = "glcbt-64_secret-of-the-job";

export function vars(values: Readonly<Record<string, string>>): Vars {
  const get = (key: string) => values[key] ?? "";
  return {
    get,
    has: (key) => key in values,
    bool: (key, fallback) => readBool(key, get(key), fallback),
  };
}

export interface JobShape {
  readonly repositoryUrl?: string;
  readonly sha?: string;
  readonly ref?: string;
  readonly refspecs?: readonly string[];
  readonly depth?: number;
  readonly allowFetch?: boolean;
  readonly objectFormat?: string;
  readonly hooks?: readonly { readonly name: string; readonly script: readonly string[] }[];
}

export function makeJob(shape: JobShape): Job {
  const parsed = parseJob({
    id: 7,
    token,
    allow_git_fetch: shape.allowFetch ?? true,
    job_info: { project_id: 42, project_full_path: "group/project" },
    git_info: {
      repo_url: shape.repositoryUrl ?? "https://gitlab.example.com/group/project.git",
      repo_object_format: shape.objectFormat ?? "",
      sha: shape.sha ?? "0".repeat(40),
      ref: shape.ref ?? "main",
      refspecs: shape.refspecs ?? ["+refs/heads/main:refs/remotes/origin/main"],
      depth: shape.depth ?? 0,
    },
    hooks: shape.hooks ?? [],
  });
  if (parsed.kind === "invalid") throw new Error(parsed.message);
  return parsed.job;
}

/** `http://gitlab-ci-token:TOKEN@…`, as GitLab writes it into the payload. */
export function withToken(origin: string, path: string): string {
  return `${origin.replace("://", `://gitlab-ci-token:${token}@`)}/${path}.git`;
}

export interface Recorded extends JobLog {
  /** What the runner itself said: "info: …", "warning: …". */
  readonly said: readonly string[];
  /** All of it, git's output included. */
  text(): string;
}

export function recordingLog(): Recorded {
  const said: string[] = [];
  const all: string[] = [];
  const say = (kind: string) => (text: string) => {
    said.push(`${kind}: ${text}`);
    all.push(`${text}\n`);
  };
  return {
    said,
    text: () => all.join(""),
    line: say("line"),
    info: say("info"),
    warning: say("warning"),
    error: say("error"),
    output: (bytes) => all.push(Buffer.from(bytes).toString()),
  };
}

export interface Stage {
  readonly folder: string;
  readonly job: Job;
  readonly variables?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly settings?: Partial<GetSourcesInput["settings"]>;
  readonly more?: Partial<GetSourcesInput>;
}

export function projectDirOf(folder: string): string {
  return join(folder, "builds", "group", "project");
}

/** Runs the stage; returns its log, and throws what it throws. */
export async function runStage(stage: Stage, log: Recorded = recordingLog()): Promise<Recorded> {
  const projectDir = projectDirOf(stage.folder);
  await getSources({
    job: stage.job,
    variables: vars(stage.variables ?? {}),
    projectDir,
    tempDir: `${projectDir}.tmp`,
    buildsDir: join(stage.folder, "builds"),
    settings: { cleanGitConfig: true, safeDirectoryCheckout: true, ...stage.settings },
    environment: { ...plainEnvironment, ...stage.variables, ...stage.environment },
    userAgent: "gitlab-burst 0.1.0",
    log,
    signal: new AbortController().signal,
    sleep,
    ...stage.more,
  });
  return log;
}

const unattended = { ...plainEnvironment, GIT_TERMINAL_PROMPT: "0" };

/** Git as a script of the job runs it: in the project, with the job's environment. */
export function scriptGit(
  folder: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): string {
  return git(projectDirOf(folder), args, { ...unattended, ...environment });
}

/** The same for what needs a server of this process, which must stay free to answer. */
export async function scriptGitOnline(
  folder: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await promisify(execFile)("git", args, {
    cwd: projectDirOf(folder),
    env: { ...unattended, ...environment },
  });
  return stdout.trim();
}

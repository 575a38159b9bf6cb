// The get_sources stage: from a folder in any state to the job's commit, checked out.

import { join } from "node:path";
import { mkdir, rm } from "node:fs/promises";
import type { Job } from "../../core/job.ts";
import type { JobLog } from "../../core/job-log.ts";
import type { Sleep } from "../helper-command.ts";
import { withAttempts } from "./attempts.ts";
import { kindOf } from "./clean-repository.ts";
import { gitIn } from "./git-command.ts";
import type { Git } from "./git-command.ts";
import { gitEnvironment } from "./git-environment.ts";
import { writeGitFiles } from "./git-files.ts";
import { hasGitLfs, lfsFilters, usesGitLfs } from "./lfs.ts";
import { prepareFolder, prepareRepository } from "./prepare-repository.ts";
import { repositoryAccess } from "./repository-access.ts";
import type { RepositoryAccess } from "./repository-access.ts";
import type { Vars } from "./source-variables.ts";
import { readSourceOptions } from "./strategy.ts";
import type { SourceOptions } from "./strategy.ts";
import { updateSubmodules } from "./submodules.ts";

export type SourcesHook = "pre_get_sources_script" | "post_get_sources_script";

export interface GetSourcesInput {
  readonly job: Job;
  readonly variables: Vars;
  readonly projectDir: string;
  /** `projectDir` + ".tmp"; whoever calls removes it at the job's end. */
  readonly tempDir: string;
  readonly buildsDir: string;
  readonly settings: {
    readonly cloneUrl?: string | undefined;
    readonly cleanGitConfig: boolean;
    readonly safeDirectoryCheckout: boolean;
    readonly preGetSourcesScript?: string | undefined;
    readonly postGetSourcesScript?: string | undefined;
  };
  /** For git: PATH, HOME and the like, and the job's variables. */
  readonly environment: Readonly<Record<string, string>>;
  readonly runHook?: (name: SourcesHook, script: readonly string[]) => Promise<void>;
  readonly userAgent: string;
  readonly correlationId?: string | undefined;
  readonly log: JobLog;
  /** Aborted: git is ended, and the signal's reason is thrown. */
  readonly signal: AbortSignal;
  readonly sleep: Sleep;
}

/** Throws a RunnerError when the sources cannot be had. */
export async function getSources(input: GetSourcesInput): Promise<void> {
  const options = readSourceOptions(input.job, input.variables);
  for (const warning of options.warnings) input.log.warning(warning);
  input.signal.throwIfAborted();
  if (options.strategy === "none" || options.strategy === "empty") {
    await withoutSources(input, options);
    return;
  }
  await withAttempts({
    attempts: options.attempts,
    attempt: () => attempt(input, options),
    clear: () => clearWorktree(input, options),
    log: input.log,
    signal: input.signal,
    sleep: input.sleep,
  });
}

async function withoutSources(input: GetSourcesInput, options: SourceOptions): Promise<void> {
  const { log, projectDir } = input;
  if (options.strategy === "empty") {
    log.info("Skipping Git repository setup and creating an empty build directory");
    await rm(projectDir, { recursive: true, force: true });
  } else {
    log.info("Skipping Git repository setup");
  }
  await mkdir(projectDir, { recursive: true });
  // A repository kept from an earlier job includes a file of ours by which git in the script authenticates.
  if ((await kindOf(join(projectDir, ".git"))) === "folder") await gitFor(input, options);
  log.info("Skipping Git checkout");
  log.info("Skipping Git submodules setup");
}

async function attempt(input: GetSourcesInput, options: SourceOptions): Promise<void> {
  const { job, log, projectDir, settings } = input;
  await runHook(input, "pre_get_sources_script");
  const { git, access, jobSettingsFile } = await gitFor(input, options);
  if (input.correlationId !== undefined) log.info(`Gitaly correlation ID: ${input.correlationId}`);
  log.info(
    options.depth > 0
      ? `Fetching changes with git depth set to ${String(options.depth)}...`
      : "Fetching changes...",
  );
  const state = await prepareFolder(projectDir, options);
  await prepareRepository({
    git,
    projectDir,
    state,
    options,
    resetConfig: settings.cleanGitConfig,
    objectFormat: job.git_info.repo_object_format,
    remoteUrl: access.remoteUrl,
    jobSettingsFile,
  });
  if (state !== "repository") log.info("Created fresh repository.");
  await fetchCommits(git, input, options);
  const lfs = options.lfs && (await hasGitLfs(input.environment));
  if (options.checkout) await checkOut(git, input, options, { clean: state !== "empty", lfs });
  else log.info("Skipping Git checkout");
  await updateSubmodules({
    git,
    projectDir,
    options,
    reused: state === "repository",
    resetConfig: settings.cleanGitConfig,
    jobSettingsFile,
    lfs,
    log,
  });
  await runHook(input, "post_get_sources_script");
}

async function gitFor(
  input: GetSourcesInput,
  options: SourceOptions,
): Promise<{
  readonly git: Git;
  readonly access: RepositoryAccess;
  readonly jobSettingsFile: string;
}> {
  const { projectDir, tempDir, environment } = input;
  const access = repositoryAccess({
    job: input.job,
    variables: input.variables,
    cloneUrl: input.settings.cloneUrl,
    forceHttps: options.submodules.forceHttps,
  });
  const files = await writeGitFiles({
    tempDir,
    projectDir,
    access,
    userAgent: input.userAgent,
    safeDirectory: input.settings.safeDirectoryCheckout,
    environment,
  });
  const git = gitIn({
    projectDir,
    settingsFile: files.agent,
    environment: gitEnvironment({
      base: environment,
      projectDir,
      files,
      access,
      correlationId: input.correlationId,
      skipSmudge: options.lfs,
    }),
    log: input.log,
    signal: input.signal,
    sleep: input.sleep,
  });
  return { git, access, jobSettingsFile: files.job };
}

async function fetchCommits(
  git: Git,
  { job, projectDir }: GetSourcesInput,
  options: SourceOptions,
): Promise<void> {
  const depth = options.depth > 0 ? ["--depth", String(options.depth)] : [];
  const shallow = (await kindOf(join(projectDir, ".git", "shallow"))) !== "nothing";
  await git.run([
    "fetch",
    "origin",
    "--no-recurse-submodules",
    ...job.git_info.refspecs,
    ...depth,
    ...options.fetchFlags,
    ...(options.depth === 0 && shallow ? ["--unshallow"] : []),
  ]);
}

async function checkOut(
  git: Git,
  { job, log }: GetSourcesInput,
  options: SourceOptions,
  { clean, lfs }: { readonly clean: boolean; readonly lfs: boolean },
): Promise<void> {
  const { sha, ref } = job.git_info;
  log.info(`Checking out ${sha.slice(0, 8)} as detached HEAD (ref is ${ref})...`);
  await git.run(["checkout", "-f", "-q", sha, "--"]);
  if (clean && options.cleanFlags.length > 0) await git.run(["clean", ...options.cleanFlags]);
  if (lfs && (await usesGitLfs(git))) await git.run([...lfsFilters, "lfs", "pull"]);
}

async function clearWorktree(input: GetSourcesInput, options: SourceOptions): Promise<void> {
  const { log, projectDir } = input;
  if ((await kindOf(join(projectDir, ".git"))) !== "folder") return;
  log.info("Deleting all tracked and untracked files due to source fetch failure");
  const { git } = await gitFor(input, options);
  await git.run(["rm", "-rf", "--quiet", "--ignore-unmatch", "."]);
  await git.run(["clean", "-ffdx"]);
}

/** Before: the settings' script, then the job's; after: the other way round. */
async function runHook(input: GetSourcesInput, name: SourcesHook): Promise<void> {
  const { settings, job } = input;
  const own = job.hooks.filter((hook) => hook.name === name).flatMap((hook) => hook.script);
  const [before, after] =
    name === "pre_get_sources_script"
      ? [settings.preGetSourcesScript, undefined]
      : [undefined, settings.postGetSourcesScript];
  const script = [...(before ? [before] : []), ...own, ...(after ? [after] : [])];
  if (script.length === 0) return;
  if (input.runHook === undefined) input.log.warning(`${name} is not run by this executor`);
  else await input.runHook(name, script);
}

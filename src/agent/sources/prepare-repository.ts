// From whatever lies in the project's folder to a repository with our remote, ready to fetch.

import { appendFile, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { cleanRepository, isDefaultFormat, kindOf } from "./clean-repository.ts";
import { configText } from "./config-text.ts";
import type { Git } from "./git-command.ts";
import { jobFileName } from "./git-files.ts";
import type { SourceOptions } from "./strategy.ts";

/** `empty`: nothing there that a checkout would have to be cleaned of. */
export type FolderState = "empty" | "files" | "repository";

/** Makes the folder; for strategy clone, anew. */
export async function prepareFolder(
  projectDir: string,
  options: SourceOptions,
): Promise<FolderState> {
  const found = await kindOf(projectDir);
  if (options.strategy === "clone" || found === "link" || found === "file") {
    await rm(projectDir, { recursive: true, force: true });
  }
  await mkdir(projectDir, { recursive: true });
  const gitDir = join(projectDir, ".git");
  const git = await kindOf(gitDir);
  if (git === "folder") return "repository";
  // A `.git` that points elsewhere, with settings of its own there, is none that we made.
  if (git !== "nothing") await rm(gitDir);
  return (await readdir(projectDir)).length === 0 ? "empty" : "files";
}

export interface RepositoryInput {
  readonly git: Git;
  readonly projectDir: string;
  readonly state: FolderState;
  readonly options: SourceOptions;
  readonly resetConfig: boolean;
  readonly objectFormat: string;
  readonly remoteUrl: string;
  readonly jobSettingsFile: string;
}

export async function prepareRepository(input: RepositoryInput): Promise<void> {
  const gitDir = join(input.projectDir, ".git");
  const { resetConfig, objectFormat } = input;
  if (input.state === "repository") {
    const submodules = input.options.submodules.strategy !== "none";
    await cleanRepository(gitDir, { resetConfig, submodules, objectFormat });
  }
  const kept = (await kindOf(join(gitDir, "config"))) !== "nothing";
  const format = isDefaultFormat(objectFormat) ? [] : ["--object-format", objectFormat];
  await input.git.run(["init", "--template=", ...format]);
  if (kept) await changeSettings(input);
  else await appendFile(join(gitDir, "config"), configText(repositorySettings(input)));
}

function repositorySettings({ remoteUrl, jobSettingsFile }: RepositoryInput) {
  return [
    ["remote.origin.url", remoteUrl],
    ["remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"],
    ["fetch.recurseSubmodules", "false"],
    ["credential.interactive", "never"],
    // A clean-up in the background would outlive the job.
    ["gc.autoDetach", "false"],
    ["maintenance.autoDetach", "false"],
    ["include.path", jobSettingsFile],
  ] as const;
}

/** Where the settings say to keep `.git/config`: only the remote and our include are replaced in it. */
async function changeSettings(input: RepositoryInput): Promise<void> {
  const file = ["config", "--file", join(input.projectDir, ".git", "config"), "--replace-all"];
  const ours = `${jobFileName.replaceAll(".", String.raw`\.`)}$`;
  for (const [name, value] of repositorySettings(input)) {
    if (name.startsWith("remote.")) await input.git.run([...file, name, value]);
    if (name === "include.path") await input.git.run([...file, name, value, ours]);
  }
}

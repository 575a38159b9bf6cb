// The configuration that git reads in this stage, as files in the job's temporary folder.
//
// What is where, and for how long:
// - `.git/config` (and each submodule's): the remote without credentials, and an include of the job's file.
// - the job's file, until the folder is removed at the job's end: how to answer GitLab's question for a
//   password. It names the variable CI_JOB_TOKEN, which every script of the job has, not its value, so
//   `git fetch` in a script works and no token lies on any disk. When the file is gone, git passes over
//   the include.
// - the agent's file: given by `-c include.path` to our own git commands only.
// - the global file: in place of ~/.gitconfig for our own commands, and including it, so that a machine's
//   own settings (proxies, URL rewrites) hold and its file stays as it is.
// - the token itself: in the environment of our own git commands (git-environment.ts).

import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { configText } from "./config-text.ts";
import type { GitSetting } from "./config-text.ts";
import type { RepositoryAccess } from "./repository-access.ts";

export interface GitFiles {
  readonly job: string;
  readonly agent: string;
  readonly global: string;
}

export const jobFileName = ".gitlab-burst.job.gitconfig";

export interface GitFilesInput {
  readonly tempDir: string;
  readonly projectDir: string;
  readonly access: RepositoryAccess;
  readonly userAgent: string;
  /** Let git work in a project folder that belongs to another user. */
  readonly safeDirectory: boolean;
  readonly environment: Readonly<Record<string, string>>;
}

export async function writeGitFiles(input: GitFilesInput): Promise<GitFiles> {
  const files = {
    job: join(input.tempDir, jobFileName),
    agent: join(input.tempDir, ".gitlab-burst.agent.gitconfig"),
    global: join(input.tempDir, ".gitlab-burst.global.gitconfig"),
  };
  await mkdir(input.tempDir, { recursive: true });
  await Promise.all([
    writeAfresh(files.job, configText(jobSettings(input))),
    writeAfresh(files.agent, configText(agentSettings(input, files.job))),
    writeAfresh(files.global, configText(globalSettings(input))),
  ]);
  return files;
}

/** A hook of the job may have put a link there: removed, never written through. */
async function writeAfresh(path: string, text: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
  // Readable by whatever user the job's container runs as; there is no secret in it.
  await writeFile(path, text, { flag: "wx", mode: 0o644 });
}

/**
 * Answers for GitLab's CI user only: who asks with another user name has a password of his own.
 * Silent without the variable, so that public projects are still fetched without one.
 */
const credentialHelper =
  '!f() { test "$1" = get || return 0; test -n "$CI_JOB_TOKEN" || return 0; ' +
  'while read -r line; do case "$line" in username=gitlab-ci-token) ;; username=*) return 0 ;; esac; done; ' +
  'printf "password=%s\\n" "$CI_JOB_TOKEN"; }; f';

const tlsSettings = [
  ["sslCAInfo", "CI_SERVER_TLS_CA_FILE"],
  ["sslCert", "CI_SERVER_TLS_CERT_FILE"],
  ["sslKey", "CI_SERVER_TLS_KEY_FILE"],
] as const;

function jobSettings({ access, environment }: GitFilesInput): readonly GitSetting[] {
  const perOrigin = access.origins.flatMap((origin): readonly GitSetting[] => [
    [`credential.${origin}.username`, "gitlab-ci-token"],
    [`credential.${origin}.helper`, credentialHelper],
    ...tlsSettings.flatMap(([key, variable]): readonly GitSetting[] => {
      const path = environment[variable] ?? "";
      return path === "" ? [] : [[`http.${origin}.${key}`, path]];
    }),
  ]);
  const rewrites = access.rewrites.map(({ from, to }): GitSetting => [`url.${to}.insteadOf`, from]);
  return [...perOrigin, ...rewrites];
}

function agentSettings(input: GitFilesInput, jobFile: string): readonly GitSetting[] {
  return [
    ["http.userAgent", input.userAgent],
    ["submodule.recurse", "false"],
    // The machine user's own helpers (a keychain, `store`) neither answer for the job nor keep its token.
    ...input.access.origins.map((origin): GitSetting => [`credential.${origin}.helper`, ""]),
    ["include.path", jobFile],
  ];
}

function globalSettings(input: GitFilesInput): readonly GitSetting[] {
  const safe = input.safeDirectory ? [input.projectDir, `${input.projectDir}/*`] : [];
  return [
    ...ownGlobalFiles(input.environment).map((path): GitSetting => ["include.path", path]),
    // For repositories that git has yet to make: no advice about branch names.
    ["init.defaultBranch", "none"],
    ...safe.map((path): GitSetting => ["safe.directory", path]),
  ];
}

/** What git would read as the user's own; files that do not exist are passed over. */
function ownGlobalFiles(environment: Readonly<Record<string, string>>): readonly string[] {
  const { GIT_CONFIG_GLOBAL, HOME, XDG_CONFIG_HOME } = environment;
  if (GIT_CONFIG_GLOBAL !== undefined) return GIT_CONFIG_GLOBAL === "" ? [] : [GIT_CONFIG_GLOBAL];
  const home = HOME === undefined || HOME === "" ? [] : [HOME];
  const xdg = XDG_CONFIG_HOME ? [XDG_CONFIG_HOME] : home.map((path) => join(path, ".config"));
  return [
    ...xdg.map((path) => join(path, "git/config")),
    ...home.map((path) => join(path, ".gitconfig")),
  ];
}

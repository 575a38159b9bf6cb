// The environment of our own git commands. The token travels here, and only here: an environment is
// readable by its own user alone, a command line by everybody.

import { dirname } from "node:path";
import type { GitSetting } from "./config-text.ts";
import type { GitFiles } from "./git-files.ts";
import type { RepositoryAccess } from "./repository-access.ts";

export interface GitEnvironmentInput {
  /** PATH, HOME and the like, and the job's variables. */
  readonly base: Readonly<Record<string, string>>;
  readonly projectDir: string;
  readonly files: GitFiles;
  readonly access: RepositoryAccess;
  readonly correlationId?: string | undefined;
  /** Leave LFS files as pointers during checkout; they are fetched together afterwards. */
  readonly skipSmudge: boolean;
}

/** A job may set these for its scripts; here they would turn git to another repository. */
const foreign = [
  "GIT_DIR",
  "GIT_WORK_TREE",
  "GIT_COMMON_DIR",
  "GIT_INDEX_FILE",
  "GIT_OBJECT_DIRECTORY",
  "GIT_NAMESPACE",
] as const;

export function gitEnvironment(input: GitEnvironmentInput): Readonly<Record<string, string>> {
  return {
    GIT_ASKPASS: "",
    ...plainGitEnvironment(input.base, input.projectDir),
    GIT_CONFIG_GLOBAL: input.files.global,
    CI_JOB_TOKEN: input.access.password.reveal(),
    ...(input.skipSmudge ? { GIT_LFS_SKIP_SMUDGE: "1" } : {}),
    ...settingsInEnvironment(headers(input), input.base),
  };
}

/** For a git that fetches nothing: it asks nobody, and stays within the project's own repository. */
export function plainGitEnvironment(
  base: Readonly<Record<string, string>>,
  projectDir: string,
): Readonly<Record<string, string>> {
  const environment: Record<string, string> = {
    ...base,
    GIT_TERMINAL_PROMPT: "0",
    GCM_INTERACTIVE: "Never",
    // builds_dir may lie in somebody's repository.
    GIT_CEILING_DIRECTORIES: dirname(projectDir),
    // An earlier job may have left refs that put another commit in the place of ours.
    GIT_NO_REPLACE_OBJECTS: "1",
  };
  for (const name of foreign) delete environment[name];
  return environment;
}

/**
 * Sent with the first request: spares asking, being refused, and starting the credential helper. Git
 * before 2.31 does not know this kind of setting; it asks the helper.
 */
function headers({ access, correlationId }: GitEnvironmentInput): readonly GitSetting[] {
  const basic = Buffer.from(`${access.user}:${access.password.reveal()}`).toString("base64");
  return access.origins.flatMap((origin): readonly GitSetting[] => [
    [`http.${origin}.extraHeader`, `Authorization: Basic ${basic}`],
    ...(correlationId === undefined
      ? []
      : [[`http.${origin}.extraHeader`, `X-Gitaly-Correlation-ID: ${correlationId}`] as const]),
  ]);
}

/** After those that the job itself passes in this way. */
function settingsInEnvironment(
  settings: readonly GitSetting[],
  base: Readonly<Record<string, string>>,
): Record<string, string> {
  const taken = Number(base["GIT_CONFIG_COUNT"] ?? "0");
  // Git refuses to run with a bad count; its message is the job's to read.
  if (!Number.isInteger(taken) || taken < 0) return {};
  const pairs = settings.flatMap(([name, value], index): readonly [string, string][] => [
    [`GIT_CONFIG_KEY_${String(taken + index)}`, name],
    [`GIT_CONFIG_VALUE_${String(taken + index)}`, value],
  ]);
  return Object.fromEntries([["GIT_CONFIG_COUNT", String(taken + settings.length)], ...pairs]);
}

// What a job's variables ask of get_sources, with GitLab Runner's defaults and warnings. Pure.

import { RunnerError } from "../../core/errors.ts";
import type { Job } from "../../core/job.ts";
import type { Vars } from "./source-variables.ts";

const gitStrategies = ["clone", "fetch", "none", "empty"] as const;
export type GitStrategy = (typeof gitStrategies)[number];

const submoduleStrategies = ["none", "normal", "recursive"] as const;
export type SubmoduleStrategy = (typeof submoduleStrategies)[number];

export interface SourceOptions {
  readonly strategy: GitStrategy;
  readonly checkout: boolean;
  /** 0: all of the history. */
  readonly depth: number;
  readonly fetchFlags: readonly string[];
  /** Empty: no `git clean`. */
  readonly cleanFlags: readonly string[];
  readonly submodules: {
    readonly strategy: SubmoduleStrategy;
    readonly depth: number;
    readonly paths: readonly string[];
    readonly updateFlags: readonly string[];
    readonly forceHttps: boolean;
  };
  readonly lfs: boolean;
  readonly attempts: number;
  readonly warnings: readonly string[];
}

export function readSourceOptions(job: Job, variables: Vars): SourceOptions {
  const warnings: string[] = [];
  const noted = <T>(reading: { readonly value: T; readonly warning?: string }): T => {
    if (reading.warning !== undefined) warnings.push(reading.warning);
    return reading.value;
  };
  const strategy = noted(readGitStrategy(job, variables));
  const withSources = strategy === "clone" || strategy === "fetch";
  const checkout = noted(variables.bool("GIT_CHECKOUT", true));
  const depth = Math.max(0, job.git_info.depth);
  return {
    strategy,
    checkout: checkout && withSources,
    depth,
    fetchFlags: flags(variables, "GIT_FETCH_EXTRA_FLAGS", ["--prune", "--quiet"]),
    cleanFlags: flags(variables, "GIT_CLEAN_FLAGS", ["-ffdx"]),
    submodules: {
      strategy: withSources ? submoduleStrategy(variables) : "none",
      depth: Math.max(0, noted(readWhole(variables, "GIT_SUBMODULE_DEPTH", depth))),
      paths: submodulePaths(variables),
      updateFlags: words(variables, "GIT_SUBMODULE_UPDATE_FLAGS"),
      forceHttps: noted(variables.bool("GIT_SUBMODULE_FORCE_HTTPS", false)),
    },
    lfs: !noted(variables.bool("GIT_LFS_SKIP_SMUDGE", false)),
    attempts: noted(readAttempts(variables)),
    warnings,
  };
}

/** Also decides the folder's name, so it is needed before the rest. */
export function readGitStrategy(
  job: Job,
  variables: Vars,
): { readonly value: GitStrategy; readonly warning?: string } {
  const fallback = job.allow_git_fetch ? "fetch" : "clone";
  const text = variables.get("GIT_STRATEGY");
  if (text === "") return { value: fallback };
  const value = gitStrategies.find((known) => known === text);
  if (value !== undefined) return { value };
  const warning =
    `GIT_STRATEGY: expected either 'clone', 'fetch', 'none' or 'empty' got ` +
    `${JSON.stringify(text)}, using default value '${fallback}'`;
  return { value: fallback, warning };
}

function submoduleStrategy(variables: Vars): SubmoduleStrategy {
  const text = variables.get("GIT_SUBMODULE_STRATEGY") || "none";
  const value = submoduleStrategies.find((known) => known === text);
  if (value !== undefined) return value;
  throw new RunnerError(
    "runner_configuration_error",
    `GIT_SUBMODULE_STRATEGY: expected either 'normal', 'recursive' or 'none' got ${JSON.stringify(text)}`,
  );
}

function submodulePaths(variables: Vars): readonly string[] {
  const paths = words(variables, "GIT_SUBMODULE_PATHS");
  if (!paths.includes(":(exclude)")) return paths;
  throw new RunnerError(
    "runner_configuration_error",
    "GIT_SUBMODULE_PATHS: ':(exclude)' must be followed by a path, with no space between",
  );
}

function readWhole(variables: Vars, name: string, fallback: number) {
  const text = variables.get(name);
  if (text === "") return { value: fallback };
  if (/^[+-]?\d{1,9}$/.test(text)) return { value: Number(text) };
  const found = JSON.stringify(text);
  return {
    value: fallback,
    warning: `${name}: expected int got ${found}, using default value: ${String(fallback)}`,
  };
}

function readAttempts(variables: Vars): { readonly value: number; readonly warning?: string } {
  const reading = readWhole(variables, "GET_SOURCES_ATTEMPTS", 1);
  const value = Math.min(Math.max(reading.value, 1), 10);
  if (value === reading.value) return reading;
  const warning =
    `GET_SOURCES_ATTEMPTS: number of attempts out of the range [1, 10], ` +
    `clamping to: ${String(value)}`;
  return { value, warning };
}

function flags(variables: Vars, name: string, fallback: readonly string[]): readonly string[] {
  const text = variables.get(name);
  if (text === "") return fallback;
  return text === "none" ? [] : words(variables, name);
}

function words(variables: Vars, name: string): readonly string[] {
  return variables
    .get(name)
    .split(/\s+/)
    .filter((word) => word !== "");
}

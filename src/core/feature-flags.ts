// The feature flags of GitLab Runner that mean something here, and how a job's values come about:
// the runner's settings win over the job's variables, those over the runner's environment.

import { readBool } from "./go-bool.ts";
import type { Variable } from "./job.ts";

const defaults = {
  FF_DISABLE_AUTOMATIC_TOKEN_ROTATION: false,
  FF_ENABLE_BASH_EXIT_CODE_CHECK: false,
  FF_ENABLE_JOB_CLEANUP: false,
  FF_ENABLE_JOB_INPUTS_INTERPOLATION: true,
  FF_GIT_URLS_WITHOUT_TOKENS: false,
  FF_HASH_CACHE_KEYS: false,
  FF_MASK_ALL_DEFAULT_TOKENS: true,
  FF_SCRIPT_SECTIONS: false,
  FF_SECRET_RESOLVING_FAILS_IF_MISSING: true,
  FF_TIMESTAMPS: true,
  FF_USE_DIRECT_DOWNLOAD: true,
} as const;

export type FeatureFlag = keyof typeof defaults;
export type FeatureFlags = Readonly<Record<FeatureFlag, boolean>>;

export const defaultFeatureFlags: FeatureFlags = defaults;

export interface FlagSources {
  /** `feature_flags` of the runner's settings. */
  readonly configured: Readonly<Record<string, boolean>>;
  /** `environment` of the runner's settings, "KEY=value". */
  readonly environment: readonly string[];
  /** The payload's variables; of several with one name the last counts. */
  readonly variables: readonly Variable[];
}

export interface ResolvedFlags {
  readonly flags: FeatureFlags;
  readonly warnings: readonly string[];
}

export function resolveFeatureFlags(sources: FlagSources): ResolvedFlags {
  const warnings: string[] = [];
  const flags: Record<FeatureFlag, boolean> = { ...defaults };
  for (const name of flagNames()) {
    const configured = sources.configured[name];
    if (configured !== undefined) {
      flags[name] = configured;
      continue;
    }
    const reading = readBool(name, textOf(name, sources), defaults[name]);
    flags[name] = reading.value;
    if (reading.warning !== undefined) warnings.push(reading.warning);
  }
  for (const name of Object.keys(sources.configured)) {
    if (!Object.hasOwn(defaults, name)) {
      warnings.push(`The runner's settings name ${name}, a feature flag that changes nothing here`);
    }
  }
  return { flags, warnings };
}

export function flagNames(): readonly FeatureFlag[] {
  return Object.keys(defaults).filter((name): name is FeatureFlag => Object.hasOwn(defaults, name));
}

/** For the job's header: `FF_A:true, FF_B:false`, only what differs from the default. */
export function changedFlags(flags: FeatureFlags): string {
  return flagNames()
    .filter((name) => flags[name] !== defaults[name])
    .map((name) => `${name}:${String(flags[name])}`)
    .join(", ");
}

function textOf(name: string, sources: FlagSources): string {
  const variable = sources.variables.findLast((candidate) => candidate.key === name);
  if (variable !== undefined) return variable.value.reveal();
  const line = sources.environment.findLast((candidate) => candidate.startsWith(`${name}=`));
  return line === undefined ? "" : line.slice(name.length + 1);
}

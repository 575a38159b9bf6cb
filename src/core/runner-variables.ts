// The variables that the runner itself gives a job, in GitLab Runner's order of precedence: first what
// the payload may override, and, to be put after the payload, what it may not.

import { flagNames } from "./feature-flags.ts";
import type { FeatureFlags } from "./feature-flags.ts";
import type { Job } from "./job.ts";
import type { VariableEntry } from "./variable-entry.ts";

export interface VariablesInput {
  readonly job: Job;
  readonly runner: {
    readonly shortToken: string;
    /** `environment` of the runner's settings, "KEY=value". */
    readonly environment: readonly string[];
    /** The image for jobs that name none. */
    readonly settingsImage?: string | undefined;
    readonly featureFlags: FeatureFlags;
    readonly version: string;
    readonly revision: string;
    /** `linux/amd64` and the like. */
    readonly executableArch: string;
    /** The machine outlives the job, or other jobs run on it (the process executor). */
    readonly shared: boolean;
  };
  readonly dirs: {
    readonly buildsDir: string;
    readonly projectDir: string;
    /** Where file variables and GITLAB_ENV lie: `projectDir` + ".tmp". */
    readonly tempDir: string;
    readonly concurrentId: number;
    readonly concurrentProjectId: number;
  };
  /** PEM texts by which this runner talks to its GitLab, for git and curl in the job. */
  readonly tls?:
    | {
        readonly ca?: string | undefined;
        readonly certificate?: string | undefined;
        readonly key?: string | undefined;
      }
    | undefined;
  /** Resolved `secrets:` of the job. */
  readonly secrets?: readonly VariableEntry[];
}

/** Feature flags, the settings' environment, places: lowest first. */
export function overridableEntries(input: VariablesInput): {
  readonly entries: readonly VariableEntry[];
  readonly warnings: readonly string[];
} {
  const environment = environmentEntries(input.runner.environment);
  const entries = [
    ...flagNames().map((name) => own(name, String(input.runner.featureFlags[name]))),
    ...imageEntry(input),
    own("CI_RUNNER_SHORT_TOKEN", input.runner.shortToken),
    ...environment.entries,
    ...placeEntries(input),
  ];
  return { entries, warnings: environment.warnings };
}

/** What no job may pretend to be otherwise. */
export function sealedEntries(input: VariablesInput): readonly VariableEntry[] {
  const { runner } = input;
  return [
    own(runner.shared ? "CI_SHARED_ENVIRONMENT" : "CI_DISPOSABLE_ENVIRONMENT", "true"),
    own("CI_RUNNER_VERSION", runner.version),
    own("CI_RUNNER_REVISION", runner.revision),
    own("CI_RUNNER_EXECUTABLE_ARCH", runner.executableArch),
    ...(input.secrets ?? []),
    own("RUNNER_TEMP_PROJECT_DIR", input.dirs.tempDir),
  ];
}

/** Ours, and literal: a `$` in a path of this machine is no reference. */
function own(key: string, value: string | number): VariableEntry {
  return { key, value: String(value), raw: true };
}

function imageEntry(input: VariablesInput): readonly VariableEntry[] {
  const name = input.job.image.name || (input.runner.settingsImage ?? "");
  return name === "" ? [] : [{ key: "CI_JOB_IMAGE", value: name }];
}

function environmentEntries(lines: readonly string[]) {
  const entries: VariableEntry[] = [];
  const warnings: string[] = [];
  lines.forEach((line, index) => {
    const equals = line.indexOf("=");
    if (equals > 0) {
      entries.push({ key: line.slice(0, equals).trim(), value: line.slice(equals + 1) });
    } else {
      const place = `environment entry ${String(index + 1)} of the runner's settings`;
      warnings.push(`The ${place} is not of the form KEY=value, and is left out`);
    }
  });
  return { entries, warnings };
}

function placeEntries(input: VariablesInput): readonly VariableEntry[] {
  const { dirs, tls } = input;
  const pem = (key: string, content: string | undefined): readonly VariableEntry[] =>
    content === undefined || content === "" ? [] : [{ ...own(key, content), file: true }];
  return [
    own("CI_BUILDS_DIR", dirs.buildsDir),
    own("CI_PROJECT_DIR", dirs.projectDir),
    own("CI_CONCURRENT_ID", dirs.concurrentId),
    own("CI_CONCURRENT_PROJECT_ID", dirs.concurrentProjectId),
    own("CI_SERVER", "yes"),
    own("CI_JOB_STATUS", "running"),
    own("CI_JOB_TIMEOUT", input.job.runner_info.timeout),
    ...pem("CI_SERVER_TLS_CA_FILE", tls?.ca),
    ...pem("CI_SERVER_TLS_CERT_FILE", tls?.certificate),
    ...pem("CI_SERVER_TLS_KEY_FILE", tls?.key),
  ];
}

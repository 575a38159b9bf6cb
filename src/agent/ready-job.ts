// From the hand-off to what the stages need: payload, settings, variables, folders, filters. No I/O.

import { hostname } from "node:os";
import { resolveFeatureFlags } from "../core/feature-flags.ts";
import type { FeatureFlags } from "../core/feature-flags.ts";
import type { HandOff } from "../core/hand-off.ts";
import { interpolateInputs } from "../core/inputs.ts";
import { parseJob } from "../core/job.ts";
import type { Job } from "../core/job.ts";
import { RunnerError } from "../core/errors.ts";
import type { Outcome } from "../core/outcome.ts";
import { withStepRunner } from "../core/run-steps.ts";
import { debugTrace } from "../core/script.ts";
import { parseSettings } from "../core/settings.ts";
import type { Settings } from "../core/settings.ts";
import { jobTokenPrefixes } from "../core/token-prefixes.ts";
import { buildVariables } from "../core/variables.ts";
import type { JobVariables } from "../core/variables.ts";
import type { GitLabClientOptions } from "../gitlab/client.ts";
import { runnerInfo } from "../gitlab/info.ts";
import { steadyNow } from "./clock.ts";
import { resolveProjectDir } from "./sources/project-dir.ts";
import { readGitStrategy } from "./sources/strategy.ts";
import type { TraceSettings } from "./trace.ts";

export interface ReadyJob {
  readonly handOff: HandOff;
  readonly settings: Settings;
  readonly job: Job;
  readonly variables: JobVariables;
  readonly featureFlags: FeatureFlags;
  readonly projectDir: string;
  readonly tempDir: string;
  readonly hostname: string;
  readonly debugTrace: boolean;
  readonly client: GitLabClientOptions;
  readonly trace: TraceSettings;
  /** For the head of the trace. */
  readonly warnings: readonly string[];
  /** Set where nothing of the job can be run at all. */
  readonly refusal: Outcome | undefined;
}

/** Throws RunnerError or SettingsError only where not even a trace could say what is wrong. */
export function readyJob(handOff: HandOff): ReadyJob {
  const settings = settingsOf(handOff);
  const parsed = parseJob(JSON.parse(handOff.job));
  if (parsed.kind === "invalid") throw new RunnerError("runner_system_failure", parsed.message);
  const { flags, warnings } = resolveFeatureFlags({
    configured: settings.feature_flags,
    environment: settings.environment,
    variables: parsed.job.variables,
  });
  const filled = interpolateInputs(parsed.job, flags.FF_ENABLE_JOB_INPUTS_INTERPOLATION);
  const job = withStepRunner(filled.kind === "job" ? filled.job : parsed.job);
  const place = placeOf(handOff, settings, job, flags);
  const variables = variablesOf(handOff, settings, job, flags, place.projectDir);
  const shellTrace = debugTrace(variables, settings.debug_trace_disabled);
  return {
    handOff,
    settings,
    job,
    variables,
    featureFlags: flags,
    projectDir: place.projectDir,
    tempDir: tempDirOf(place.projectDir),
    hostname: hostname(),
    debugTrace: shellTrace.value,
    client: clientOptions(handOff, settings),
    trace: {
      secrets: variables.maskedValues(),
      tokenPrefixes: jobTokenPrefixes(
        job.features.token_mask_prefixes,
        flags.FF_MASK_ALL_DEFAULT_TOKENS,
      ),
      timestamps: flags.FF_TIMESTAMPS,
      sections: job.features.trace_sections,
      limitBytes: settings.output_limit * 1024,
      now: steadyNow,
    },
    warnings: [
      ...warnings,
      ...variables.warnings,
      ...(shellTrace.warning ? [shellTrace.warning] : []),
    ],
    refusal: filled.kind === "failed" ? configurationError(filled.message) : place.refusal,
  };
}

function settingsOf(handOff: HandOff): Settings {
  const parsed = parseSettings(handOff.settings, "the hand-off's settings");
  if (parsed.kind === "settings") return parsed.settings;
  throw new RunnerError("runner_configuration_error", parsed.message);
}

/** Where the project goes; asked of variables that do not yet know it. */
function placeOf(
  handOff: HandOff,
  settings: Settings,
  job: Job,
  flags: FeatureFlags,
): { readonly projectDir: string; readonly refusal: Outcome | undefined } {
  const buildsDir = handOff.folders.builds;
  const variables = variablesOf(handOff, settings, job, flags, buildsDir);
  const input = {
    job,
    buildsDir,
    layout:
      handOff.executor === "process"
        ? ({
            kind: "shared",
            shortToken: handOff.runner.shortToken,
            concurrentProjectId: handOff.concurrentProjectId,
          } as const)
        : ({ kind: "docker" } as const),
    strategy: readGitStrategy(job, variables).value,
    clonePathAllowed: settings.custom_build_dir.enabled,
  };
  try {
    const projectDir = resolveProjectDir({ ...input, clonePath: variables.get("GIT_CLONE_PATH") });
    return { projectDir, refusal: undefined };
  } catch (cause) {
    if (!(cause instanceof RunnerError)) throw cause;
    const projectDir = resolveProjectDir({ ...input, clonePath: "" });
    return { projectDir, refusal: configurationError(cause.message) };
  }
}

function variablesOf(
  handOff: HandOff,
  settings: Settings,
  job: Job,
  featureFlags: FeatureFlags,
  projectDir: string,
): JobVariables {
  const { runner, gitlab } = handOff;
  return buildVariables({
    job,
    runner: {
      shortToken: runner.shortToken,
      environment: settings.environment,
      settingsImage: settings.image,
      featureFlags,
      version: runner.version,
      revision: runner.revision,
      executableArch: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
      shared: handOff.executor === "process",
    },
    dirs: {
      buildsDir: handOff.folders.builds,
      projectDir,
      tempDir: tempDirOf(projectDir),
      concurrentId: handOff.concurrentId,
      concurrentProjectId: handOff.concurrentProjectId,
    },
    tls: { ca: gitlab.ca },
  });
}

function clientOptions(handOff: HandOff, settings: Settings): GitLabClientOptions {
  const { gitlab, runner, executor } = handOff;
  const { upload_timeout, response_header_timeout } = settings.artifact;
  return {
    timeouts: {
      ...(upload_timeout > 0 ? { totalSeconds: upload_timeout } : {}),
      ...(response_header_timeout > 0 ? { responseHeaderSeconds: response_header_timeout } : {}),
    },
    url: gitlab.url,
    systemId: gitlab.systemId,
    info: runnerInfo({
      version: runner.version,
      revision: runner.revision,
      executor,
      shell: runner.shell,
      labels: runner.labels,
    }),
    ...(gitlab.ca === undefined ? {} : { ca: gitlab.ca }),
  };
}

function tempDirOf(projectDir: string): string {
  return `${projectDir}.tmp`;
}

function configurationError(message: string): Outcome {
  return { kind: "failed", reason: "runner_configuration_error", message };
}

// One job while it runs: what every stage needs, gathered once.

import type { FeatureFlags } from "../core/feature-flags.ts";
import type { HandOff } from "../core/hand-off.ts";
import type { Job } from "../core/job.ts";
import type { Settings } from "../core/settings.ts";
import type { JobVariables } from "../core/variables.ts";
import type { GitLabClient } from "../gitlab/client.ts";
import type { CacheStore } from "./cache/store.ts";
import type { JobContainer } from "./job-container.ts";
import type { JobStops } from "./job-stops.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Trace } from "./trace.ts";

export interface JobRun {
  readonly handOff: HandOff;
  readonly settings: Settings;
  /** Inputs already filled in. */
  readonly job: Job;
  readonly variables: JobVariables;
  readonly featureFlags: FeatureFlags;
  readonly projectDir: string;
  /** Beside the project: file variables, git's credentials. Removed at the end. */
  readonly tempDir: string;
  readonly container: JobContainer;
  readonly gitlab: GitLabClient;
  readonly caches: CacheStore;
  readonly trace: Trace;
  readonly stops: JobStops;
  readonly surroundings: Surroundings;
  readonly hostname: string;
  /** CI_DEBUG_TRACE is asked for, and allowed. */
  readonly debugTrace: boolean;
  /** Until the job's own time limit. */
  readonly remainingMs: () => number;
  /** Before the first line of user script, wherever that is. Throws FenceLost: another attempt owns the job. */
  readonly fence: () => Promise<void>;
  readonly now: () => number;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

/** A stage of the trace: a folded section where GitLab can fold. */
export async function inSection<T>(
  run: JobRun,
  name: string,
  title: string,
  stage: () => Promise<T>,
): Promise<T> {
  run.trace.startSection(name, title);
  try {
    return await stage();
  } finally {
    run.trace.endSection(name);
  }
}

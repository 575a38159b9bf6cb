// The stages around caches: those of earlier jobs come in after the sources, ours go out after the scripts.

import { createHash } from "node:crypto";
import { planCacheRestore, planCacheSave } from "../core/cache.ts";
import type { CacheInput } from "../core/cache.ts";
import { RunnerError } from "../core/errors.ts";
import { stageAttempts } from "../core/retry.ts";
import { findZstd } from "./archive/zstd.ts";
import { untracked } from "./artifact-stages.ts";
import { cacheCompression } from "./cache/compression.ts";
import { restoreCaches } from "./cache/restore.ts";
import { saveCaches } from "./cache/save.ts";
import { inSection } from "./job-run.ts";
import type { JobRun } from "./job-run.ts";

export async function restoreStage(run: JobRun): Promise<void> {
  const plans = planCacheRestore(cacheInput(run));
  if (plans.length === 0) return;
  await inSection(run, "restore_cache", "Restoring cache", async () => {
    const attempts = stageAttempts(run.variables, "RESTORE_CACHE_ATTEMPTS");
    if (attempts.kind === "invalid") {
      run.trace.log.error(attempts.message);
      throw new RunnerError("script_failure", attempts.message, { exitCode: 1 });
    }
    if (run.settings.cache.type === "s3" && run.handOff.executor !== "fargate") {
      run.trace.log.warning(
        "the runner's settings ask for caches in a bucket, which a runner on this machine has not: they are kept in a folder",
      );
    }
    await restoreCaches({
      plans,
      store: run.caches,
      projectDir: run.projectDir,
      zstd: findZstd,
      attempts: attempts.count,
      log: run.trace.log,
      signal: run.stops.all,
      sleep: run.sleep,
    });
  });
}

/** `succeeded`: how the script ended, which decides what of the job is kept. */
export async function archiveStage(run: JobRun, succeeded: boolean): Promise<void> {
  const plans = planCacheSave(cacheInput(run), succeeded);
  if (plans.length === 0) return;
  const [name, title] = succeeded
    ? ["archive_cache", "Saving cache for successful job"]
    : ["archive_cache_on_failure", "Saving cache for failed job"];
  await inSection(run, name, title, async () => {
    const { log } = run.trace;
    const zstd = await findZstd();
    const compression = cacheCompression(run.variables, zstd !== undefined);
    await saveCaches({
      plans,
      store: run.caches,
      projectDir: run.projectDir,
      compression,
      zstd,
      maxArchiveBytes: run.settings.cache.max_uploaded_archive_size,
      untracked: () => untracked(run),
      log,
      signal: run.stops.all,
    });
  });
}

function cacheInput(run: JobRun): CacheInput {
  const { job, settings, handOff } = run;
  return {
    caches: job.cache,
    jobName: job.job_info.name,
    ref: job.git_info.ref,
    projectId: job.job_info.project_id,
    projectDir: run.projectDir,
    variables: run.variables,
    store: {
      path: settings.cache.path,
      shared: settings.cache.shared,
      shortToken: handOff.runner.shortToken,
    },
    hashKeys: run.featureFlags.FF_HASH_CACHE_KEYS,
    sha256Hex: (text) => createHash("sha256").update(text).digest("hex"),
  };
}

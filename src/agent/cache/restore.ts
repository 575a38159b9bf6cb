// Brings a job's caches back: for each the first of its keys whose archive can be had and unpacked. A cache that is not
// there, or that cannot be used, is a warning; the job goes on without.

import type { Backoff } from "../../core/retry.ts";
import { backoffMs, stageBackoff } from "../../core/retry.ts";
import type { CacheAddress, CacheRestore } from "../../core/cache.ts";
import { RunnerError } from "../../core/errors.ts";
import type { JobLog } from "../../core/job-log.ts";
import { errorText } from "../archive/open-file.ts";
import type { Zstd } from "../archive/zstd.ts";
import type { CacheStore } from "./store.ts";
import { unpackCache } from "./unpack.ts";

export interface RestoreInput {
  readonly plans: readonly CacheRestore[];
  readonly store: CacheStore;
  readonly projectDir: string;
  readonly zstd: () => Promise<Zstd | undefined>;
  /** RESTORE_CACHE_ATTEMPTS. */
  readonly attempts: number;
  readonly backoff?: Backoff;
  readonly log: JobLog;
  readonly signal: AbortSignal;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

/** Throws where a cache is not understood: then nothing is restored. */
export async function restoreCaches(input: RestoreInput): Promise<void> {
  const { log } = input;
  for (const plan of input.plans) {
    if (plan.kind === "invalid") throw new RunnerError("runner_system_failure", plan.message);
  }
  for (const plan of input.plans) {
    if (plan.kind === "invalid") continue;
    for (const warning of plan.warnings) log.warning(warning);
    if (plan.kind === "skip") {
      log.info(plan.message);
      continue;
    }
    try {
      await restoreFirst(input, plan.candidates);
    } catch (error) {
      input.signal.throwIfAborted();
      log.warning(errorText(error));
      log.warning("Failed to extract cache");
    }
  }
}

async function restoreFirst(
  input: RestoreInput,
  candidates: readonly CacheAddress[],
): Promise<void> {
  const { attempts, backoff = stageBackoff, log } = input;
  for (let attempt = 1; ; attempt++) {
    let unreachable = false;
    for (const address of candidates) {
      const result = await restoreOne(input, address);
      if (result === "restored") return;
      unreachable ||= result === "unreachable";
    }
    // What is missing, or damaged, stays so.
    if (!unreachable || attempt >= attempts) return;
    await input.sleep(backoffMs(backoff, attempt, 0), input.signal);
    input.signal.throwIfAborted();
    log.warning(`Retrying cache extraction (attempt ${attempt + 1}/${attempts})...`);
  }
}

async function restoreOne(
  input: RestoreInput,
  address: CacheAddress,
): Promise<"restored" | "unusable" | "unreachable"> {
  const { log, store, projectDir, signal } = input;
  log.info(`Checking cache for ${address.key}...`);
  const found = await store.fetch(address);
  signal.throwIfAborted();
  if (found.kind === "found") {
    try {
      await unpackCache({ file: found.file, projectDir, zstd: input.zstd, log, signal });
      log.info("Successfully extracted cache");
      return "restored";
    } catch (error) {
      signal.throwIfAborted();
      log.warning(errorText(error));
      store.distrust(address);
    } finally {
      await found.release();
    }
  } else {
    log.warning(found.kind === "missing" ? "Cache file does not exist" : found.message);
  }
  log.warning("Failed to extract cache");
  return found.kind === "failed" ? "unreachable" : "unusable";
}

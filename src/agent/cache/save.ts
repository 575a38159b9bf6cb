// Keeps a job's caches: chooses the files, packs them and hands the archive to the store, unless none of the files is
// newer than the archive that is there. What goes wrong is a warning: a cache never fails a job.

import type { CacheSave } from "../../core/cache.ts";
import { RunnerError } from "../../core/errors.ts";
import type { JobLog } from "../../core/job-log.ts";
import { deflateLevels, zstdLevels } from "../archive/compression-levels.ts";
import { errorText } from "../archive/open-file.ts";
import { selectFiles } from "../archive/select-files.ts";
import type { SelectedEntry } from "../archive/select-files.ts";
import { writeTarZstd } from "../archive/tar-writer.ts";
import { writeZip } from "../archive/zip-writer.ts";
import type { Zstd } from "../archive/zstd.ts";
import type { Compression } from "./compression.ts";
import { anyNewer } from "./newer-files.ts";
import type { CacheDraft, CacheStore } from "./store.ts";

export interface SaveInput {
  readonly plans: readonly CacheSave[];
  readonly store: CacheStore;
  readonly projectDir: string;
  readonly compression: Compression;
  readonly zstd: Zstd | undefined;
  /** 0: none. */
  readonly maxArchiveBytes: number;
  /** `git ls-files -o`: paths relative to the project. */
  readonly untracked: () => Promise<readonly string[]>;
  readonly log: JobLog;
  readonly signal: AbortSignal;
}

type SavePlan = Extract<CacheSave, { kind: "save" }>;

/** Throws where a cache is not understood: then none is kept. */
export async function saveCaches(input: SaveInput): Promise<void> {
  const { log, signal } = input;
  for (const plan of input.plans) {
    if (plan.kind === "invalid") throw new RunnerError("runner_system_failure", plan.message);
  }
  if (input.plans.some(({ kind }) => kind === "save")) {
    for (const line of input.compression.lines) log.line(line);
    for (const warning of input.compression.warnings) log.warning(warning);
  }
  for (const plan of input.plans) {
    if (plan.kind === "invalid") continue;
    for (const warning of plan.warnings) log.warning(warning);
    if (plan.kind === "skip") {
      log.info(plan.message);
      continue;
    }
    try {
      await saveOne(input, plan);
    } catch (error) {
      signal.throwIfAborted();
      log.warning(errorText(error));
      log.warning("Failed to create cache");
    }
  }
}

async function saveOne(input: SaveInput, plan: SavePlan): Promise<void> {
  const { log, store, signal, projectDir } = input;
  log.info(`Creating cache ${plan.address.key}...`);
  const entries = await selectFiles({
    projectDir,
    paths: plan.paths,
    exclude: [],
    untracked: plan.untracked ? await input.untracked() : undefined,
    log,
    signal,
  });
  // What was chosen up to an abort is not all there is.
  signal.throwIfAborted();
  if (entries.length === 0) {
    log.warning("No files to cache.");
    return;
  }
  const savedAt = await store.savedAt(plan.address);
  if (savedAt !== undefined && !(await anyNewer(projectDir, entries, savedAt, signal))) {
    log.line("Archive is up to date!");
    log.info("Created cache");
    return;
  }
  const draft = await store.draft(plan.address);
  try {
    await pack(input, entries, draft);
  } finally {
    await draft.discard();
  }
}

async function pack(
  input: SaveInput,
  entries: readonly SelectedEntry[],
  draft: CacheDraft,
): Promise<void> {
  const { log, maxArchiveBytes } = input;
  const sizeBytes = await write(input, entries, draft.file);
  if (maxArchiveBytes > 0 && sizeBytes > maxArchiveBytes) {
    log.line(
      `Cache archive size (${sizeBytes}) is too big (Limit is set to ${maxArchiveBytes}). Cache will not be stored.`,
    );
    return;
  }
  const kept = await draft.keep();
  if (kept.kind === "kept") log.info("Created cache");
  else {
    input.signal.throwIfAborted();
    log.warning(kept.message);
    log.warning("Failed to create cache");
  }
}

/** The archive's size in bytes. */
async function write(
  input: SaveInput,
  entries: readonly SelectedEntry[],
  file: string,
): Promise<number> {
  const { compression, zstd, projectDir, log, signal } = input;
  const order = { projectDir, entries, file, log, signal };
  if (compression.format === "tarzstd" && zstd !== undefined) {
    return await writeTarZstd({ ...order, level: zstdLevels[compression.level], zstd });
  }
  return await writeZip({ ...order, extras: [], level: deflateLevels[compression.level] });
}

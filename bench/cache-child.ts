// One cache kept, or brought back, by the agent's own parts in a process of its own. Tells the milliseconds of the
// work alone.

import { findZstd } from "../src/agent/archive/zstd.ts";
import { folderStore } from "../src/agent/cache/folder-store.ts";
import { restoreCaches } from "../src/agent/cache/restore.ts";
import { saveCaches } from "../src/agent/cache/save.ts";
import type { JobLog } from "../src/core/job-log.ts";
import { childTask, tellResult } from "./measured-child.ts";
import { timed } from "./rounds.ts";

export interface CacheTask {
  readonly kind: "save" | "restore";
  readonly project: string;
  /** Where caches are. */
  readonly folder: string;
  readonly format: "zip" | "tarzstd";
}

const log: JobLog = {
  line: () => undefined,
  info: () => undefined,
  warning: (text) => {
    throw new Error(text);
  },
  error: (text) => {
    throw new Error(text);
  },
  output: () => undefined,
};
const { signal } = new AbortController();
const task = childTask() as CacheTask;
const address = { key: task.format, objectName: task.format, localName: "" };
const { project: projectDir } = task;
const store = folderStore({ folder: task.folder, log, now: Date.now });

async function save(): Promise<void> {
  const paths = ["node_modules"];
  await saveCaches({
    plans: [{ kind: "save", address, paths, untracked: false, warnings: [] }],
    store,
    projectDir,
    compression: { format: task.format, level: "default", lines: [], warnings: [] },
    zstd: await findZstd(),
    maxArchiveBytes: 0,
    untracked: () => Promise.resolve([]),
    log,
    signal,
  });
}

async function restore(): Promise<void> {
  await restoreCaches({
    plans: [{ kind: "restore", candidates: [address], warnings: [] }],
    store,
    projectDir,
    zstd: findZstd,
    attempts: 1,
    log,
    signal,
    sleep: () => Promise.resolve(),
  });
}

tellResult(await timed(task.kind === "save" ? save : restore));

// Caches in a folder of this machine. An archive is written beside the one it replaces and takes its place by a
// rename: however many jobs read and write one key at once, each sees one whole archive or another.

import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CacheAddress } from "../../core/cache.ts";
import type { JobLog } from "../../core/job-log.ts";
import { errorCode, errorText } from "../archive/open-file.ts";
import { archiveName, cachePath } from "./cache-path.ts";
import type { CacheDraft, CacheFetch, CacheKeep, CacheStore } from "./store.ts";

export interface FolderStoreOptions {
  /** Made with the first cache. */
  readonly folder: string;
  readonly log: JobLog;
  readonly now: () => number;
}

/** No job packs for so long: whoever left it is dead. */
const forgottenAfterMs = 48 * 60 * 60 * 1000;

export function folderStore({ folder, log, now }: FolderStoreOptions): CacheStore {
  const pathOf = ({ objectName }: CacheAddress): string => cachePath(folder, objectName);
  const distrusted = new Set<string>();
  return {
    async fetch(address) {
      log.line(
        "No URL provided, cache will not be downloaded from shared cache server. " +
          "Instead a local version of cache will be extracted.",
      );
      return await fetch(pathOf(address));
    },
    distrust: ({ objectName }) => void distrusted.add(objectName),
    async savedAt(address) {
      if (distrusted.has(address.objectName)) return undefined;
      const found = await stat(pathOf(address)).catch(() => undefined);
      return found?.isFile() === true ? found.mtimeMs : undefined;
    },
    draft: (address) => draft(pathOf(address), { log, now: now() }),
  };
}

async function fetch(file: string): Promise<CacheFetch> {
  try {
    const found = await stat(file);
    if (!found.isFile()) return { kind: "failed", message: "what lies in its place is no archive" };
    return { kind: "found", file, release: () => Promise.resolve() };
  } catch (error) {
    if (isMissing(error)) return { kind: "missing" };
    return { kind: "failed", message: errorText(error) };
  }
}

async function draft(
  place: string,
  { log, now }: { readonly log: JobLog; readonly now: number },
): Promise<CacheDraft> {
  await mkdir(dirname(place), { recursive: true, mode: 0o700 });
  await removeForgotten(place, now);
  const file = `${place}.${randomUUID()}`;
  return {
    file,
    async keep(): Promise<CacheKeep> {
      log.line(
        "No URL provided, cache will not be uploaded to shared cache server. " +
          "Cache will be stored only locally.",
      );
      try {
        await rename(file, place);
        return { kind: "kept" };
      } catch (error) {
        return { kind: "failed", message: errorText(error) };
      }
    },
    discard: () => rm(file, { force: true }),
  };
}

/** What agents that were killed had begun here. */
async function removeForgotten(place: string, now: number): Promise<void> {
  const folder = dirname(place);
  for (const name of await readdir(folder)) {
    if (!isDraft(name)) continue;
    const file = join(folder, name);
    const left = await stat(file).catch(() => undefined);
    if (left !== undefined && now - left.mtimeMs > forgottenAfterMs)
      await rm(file, { force: true });
  }
}

function isDraft(name: string): boolean {
  return (
    name.startsWith(`${archiveName}.`) && /\.[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(name)
  );
}

function isMissing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(errorCode(error));
}

// What one job has on this machine: folders, and processes that carry its cookies. Written down before any of
// it is there, so that after a crash of everything the next start can remove it.

import { lstat, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { killOwn } from "./own-processes.ts";
import { anyRuns, processName } from "./process-name.ts";

export interface Footprint {
  /** Ours alone; holds this record. */
  readonly scratch: string;
  /** Outside of it. */
  readonly folders: readonly string[];
  readonly cookies: readonly string[];
}

const footprintSchema = z.object({
  owners: z.array(z.string()),
  folders: z.array(z.string()),
  cookies: z.array(z.string()),
});

const recordName = "footprint.json";

export async function makeScratch(jobId: number): Promise<string> {
  return await mkdtemp(join(tmpdir(), `burst-${jobId}-`));
}

/** While one of `owners` (process ids) lives, the footprint is theirs. */
export async function recordFootprint(
  footprint: Footprint,
  owners: readonly number[],
): Promise<void> {
  const { scratch, folders, cookies } = footprint;
  const record = { owners: await Promise.all(owners.map(processName)), folders, cookies };
  const early = join(scratch, `.${recordName}`);
  await writeFile(early, JSON.stringify(record), { mode: 0o600 });
  await rename(early, join(scratch, recordName));
}

/** Ends the processes, then removes the folders. `groups`: leaders of process groups that still live. */
export async function eraseFootprint(
  footprint: Footprint,
  groups: readonly number[] = [],
): Promise<void> {
  await killOwn(groups, footprint.cookies);
  for (const folder of [...footprint.folders, footprint.scratch]) {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Those whose owners are no more. */
export async function abandonedFootprints(): Promise<readonly Footprint[]> {
  const names = await readdir(tmpdir()).catch((): string[] => []);
  const found = await Promise.all(
    names
      .filter((name) => /^burst-\d+-\w{6}$/.test(name))
      .map((name) => readAbandoned(join(tmpdir(), name))),
  );
  return found.filter((footprint) => footprint !== undefined);
}

async function readAbandoned(scratch: string): Promise<Footprint | undefined> {
  try {
    // In a folder that everybody may write to, only what is our own is believed.
    const seen = await lstat(scratch);
    if (!seen.isDirectory() || seen.uid !== process.getuid?.()) return undefined;
    const text = await readFile(join(scratch, recordName), "utf8");
    const { owners, folders, cookies } = footprintSchema.parse(JSON.parse(text));
    return (await anyRuns(owners)) ? undefined : { scratch, folders, cookies };
  } catch {
    // Somebody is just making it, or removing it.
    return undefined;
  }
}

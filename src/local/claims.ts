// The claims of a runner on one machine, on disk: a job that GitLab handed out is recorded before anything
// else happens to it, and forgotten when GitLab knows its result. What a crash leaves is settled by the
// next start.

import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { anyRuns, processName } from "./process-name.ts";

export interface ClaimBook {
  /**
   * Writes the claim down. `raw` is the body of GitLab's 201. While this process lives, or the agent
   * whose process id is given later, the claim is theirs.
   */
  record(jobId: number, raw: string, agentPid?: number): Promise<void>;
  release(jobId: number): Promise<void>;
  /** Claims whose runner is no more. Each is ours from then on: settle it, then release it. */
  abandoned(): Promise<readonly AbandonedClaim[]>;
}

export interface AbandonedClaim {
  readonly jobId: number;
  readonly raw: string;
}

const claimSchema = z.object({
  owners: z.array(z.string()),
  job_id: z.number().int(),
  raw: z.string(),
});

/** The claims of one runner (GitLab address and token) below `folder`. */
export function openClaimBook(folder: string): ClaimBook {
  const path = (jobId: number) => join(folder, `${jobId}.json`);
  return {
    async record(jobId, raw, agentPid) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const pids = agentPid === undefined ? [process.pid] : [process.pid, agentPid];
      const claim = { owners: await Promise.all(pids.map(processName)), job_id: jobId, raw };
      // Whole or not at all: the name appears when the bytes are there.
      const early = join(folder, `.${jobId}.${process.pid}`);
      await writeFile(early, JSON.stringify(claim), { mode: 0o600 });
      await rename(early, path(jobId));
    },
    async release(jobId) {
      await rm(path(jobId), { force: true });
    },
    async abandoned() {
      const names = await readdir(folder).catch((): string[] => []);
      const claims = await Promise.all(
        names.filter((name) => /^\d+\.json$/.test(name)).map((name) => read(join(folder, name))),
      );
      const orphans: AbandonedClaim[] = [];
      for (const claim of claims) {
        if (claim === undefined) continue;
        if (await anyRuns(claim.owners)) continue;
        orphans.push({ jobId: claim.job_id, raw: claim.raw });
      }
      return orphans;
    },
  };
}

async function read(path: string): Promise<z.output<typeof claimSchema> | undefined> {
  try {
    return claimSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    // Released a moment ago; or torn by a loss of power, and then nobody can know whose it was.
    return undefined;
  }
}

// The claims of a runner on one machine, on disk: a job that GitLab handed out is recorded before anything
// else happens to it, and forgotten when GitLab knows its result. What a crash leaves is settled by the
// next start.

import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { anyRuns, processName } from "./process-name.ts";

export interface ClaimBook {
  /**
   * Writes the claim down, before anything else and again when there is an agent. While this process or
   * the agent lives, the claim is theirs, and so is its slot.
   */
  record(claim: ClaimRecord): Promise<void>;
  release(jobId: number): Promise<void>;
  /** Claims whose runner is no more. Each is ours from then on: settle it, then release it. */
  abandoned(): Promise<readonly AbandonedClaim[]>;
  /** Slots of claims that somebody still works on. */
  slotsInUse(): Promise<ReadonlySet<number>>;
}

export interface AbandonedClaim {
  readonly jobId: number;
  /** The body of GitLab's 201. */
  readonly raw: string;
}

export interface ClaimRecord extends AbandonedClaim {
  /** Names the builds folder. */
  readonly slot: number;
  readonly agentPid?: number | undefined;
}

const claimSchema = z.object({
  owners: z.array(z.string()),
  job_id: z.number().int(),
  raw: z.string(),
  slot: z.number().int(),
});

/** The claims of one runner (GitLab address and token) below `folder`. */
export function openClaimBook(folder: string): ClaimBook {
  const path = (jobId: number) => join(folder, `${jobId}.json`);
  return {
    async record({ jobId, raw, slot, agentPid }) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const pids = agentPid === undefined ? [process.pid] : [process.pid, agentPid];
      const owners = await Promise.all(pids.map(processName));
      // Whole or not at all: the name appears when the bytes are there.
      const early = join(folder, `.${jobId}.${process.pid}`);
      const text = JSON.stringify({ owners, job_id: jobId, raw, slot });
      await writeFile(early, text, { mode: 0o600, flush: true });
      await rename(early, path(jobId));
    },
    async release(jobId) {
      await rm(path(jobId), { force: true });
    },
    async abandoned() {
      const claims = await readAll(folder);
      return claims
        .filter(({ owned }) => !owned)
        .map(({ job_id, raw }) => ({ jobId: job_id, raw }));
    },
    async slotsInUse() {
      const claims = await readAll(folder);
      return new Set(claims.filter(({ owned }) => owned).map(({ slot }) => slot));
    },
  };
}

async function readAll(folder: string) {
  const names = await readdir(folder).catch((): string[] => []);
  const claims = await Promise.all(
    names.filter((name) => /^\d+\.json$/.test(name)).map((name) => read(join(folder, name))),
  );
  return await Promise.all(
    claims
      .filter((claim) => claim !== undefined)
      .map(async (claim) => ({ ...claim, owned: await anyRuns(claim.owners) })),
  );
}

async function read(path: string): Promise<z.output<typeof claimSchema> | undefined> {
  try {
    return claimSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    // Released a moment ago; or torn by a loss of power, and then nobody can know whose it was.
    return undefined;
  }
}

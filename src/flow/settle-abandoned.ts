// Tells GitLab about the jobs that another run of this runner claimed and could not finish: it was killed, or
// never reached GitLab with the result. At the start, and from time to time: an agent that outlived its
// runner may be killed later.

import { parseJob } from "../core/job.ts";
import { Secret } from "../core/secret.ts";
import type { Settings } from "../core/settings.ts";
import type { AbandonedClaim, ClaimBook } from "../local/claims.ts";
import { debtOf, settle } from "./settle.ts";
import type { SettleTools } from "./settle.ts";

export interface SettleDeps extends SettleTools {
  readonly claims: ClaimBook;
  readonly settings: Settings;
  readonly onDiagnostic: (text: string) => void;
}

const intervalMilliseconds = 60_000;

/** Goes on until `over` is raised, which `deps.sleep` must end early too. */
export async function keepSettling(deps: SettleDeps, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await settleAbandoned(deps);
    await deps.sleep(intervalMilliseconds);
  }
}

export async function settleAbandoned(deps: SettleDeps): Promise<void> {
  const abandoned = await deps.claims.abandoned();
  await Promise.all(
    abandoned.map((claim) =>
      settleOne(deps, claim).catch((cause: unknown) => {
        const why = cause instanceof Error ? cause.message : String(cause);
        deps.onDiagnostic(`job ${claim.jobId}: left over by an earlier run; not settled: ${why}`);
      }),
    ),
  );
}

async function settleOne(deps: SettleDeps, claim: AbandonedClaim): Promise<void> {
  const { jobId } = claim;
  const debt = readDebt(claim, deps.settings);
  const settled =
    debt === undefined
      ? "over"
      : await settle(deps, debt, {
          reason: "runner_system_failure",
          message: "Job failed (system failure): the runner was killed while this job ran",
        });
  if (settled === "unheard") return;
  await deps.claims.release(jobId);
  const end =
    settled === "told" ? "GitLab has been told that it failed" : "GitLab has its end already";
  deps.onDiagnostic(`job ${jobId}: left over by an earlier run; ${end}`);
}

function readDebt({ jobId, raw }: AbandonedClaim, settings: Settings) {
  const payload: unknown = JSON.parse(raw);
  const parsed = parseJob(payload);
  if (parsed.kind === "job") return debtOf(jobId, parsed.job.token, parsed.job, settings);
  // A payload that our schema refuses still has an owner, if it has a token.
  if (typeof payload !== "object" || payload === null || !("token" in payload)) return undefined;
  if (typeof payload.token !== "string") return undefined;
  return debtOf(jobId, new Secret(payload.token), undefined, settings);
}

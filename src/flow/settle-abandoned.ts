// At a start: tells GitLab about the jobs that an earlier run of this runner claimed and could not finish.

import { parseJob } from "../core/job.ts";
import { Secret } from "../core/secret.ts";
import type { GitLabClient } from "../gitlab/client.ts";
import type { ClaimBook } from "../local/claims.ts";
import { settle } from "./settle.ts";

export interface SettleDeps {
  readonly gitlab: Pick<GitLabClient, "patchTrace" | "updateJob">;
  readonly claims: ClaimBook;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly onDiagnostic: (text: string) => void;
}

export async function settleAbandoned(deps: SettleDeps): Promise<void> {
  for (const { jobId, raw } of await deps.claims.abandoned()) {
    const debt = debtOf(jobId, raw);
    const heard =
      debt === undefined ||
      (await settle(
        deps.gitlab,
        debt,
        {
          reason: "runner_system_failure",
          message: "Job failed (system failure): the runner was killed while this job ran",
        },
        deps.sleep,
      ));
    if (!heard) continue;
    await deps.claims.release(jobId);
    deps.onDiagnostic(
      `job ${jobId}: left over by an earlier run, GitLab has been told that it failed`,
    );
  }
}

function debtOf(jobId: number, raw: string) {
  const payload: unknown = JSON.parse(raw);
  const parsed = parseJob(payload);
  if (parsed.kind === "job") {
    return { jobId, token: parsed.job.token, knownReasons: parsed.job.features.failure_reasons };
  }
  // A payload that our schema refuses still has an owner, if it has a token.
  if (typeof payload !== "object" || payload === null || !("token" in payload)) return undefined;
  if (typeof payload.token !== "string") return undefined;
  return { jobId, token: new Secret(payload.token), knownReasons: [] };
}

// Pays the debt of a claimed job whose agent can no longer do so: a last line in the trace, then the
// result. The trace's length is unknown here, so GitLab is asked for it by a write it must refuse.

import { errorLine } from "../core/colours.ts";
import { wireReason } from "../core/failure-reason.ts";
import type { FailureReason } from "../core/failure-reason.ts";
import type { Secret } from "../core/secret.ts";
import type { GitLabClient } from "../gitlab/client.ts";

export interface Debt {
  readonly jobId: number;
  readonly token: Secret;
  /** `features.failure_reasons` of the payload. */
  readonly knownReasons: readonly string[];
}

export interface Settlement {
  readonly reason: FailureReason;
  /** One sentence for the end of the job's log. */
  readonly message: string;
  readonly exitCode?: number;
}

const attempts = 10;

/** Tells GitLab that the job failed, and why. Resolves to whether GitLab has heard it, or wants nothing. */
export async function settle(
  gitlab: Pick<GitLabClient, "patchTrace" | "updateJob">,
  debt: Debt,
  settlement: Settlement,
  sleep: (milliseconds: number) => Promise<void>,
): Promise<boolean> {
  await append(gitlab, debt, errorLine(settlement.message));
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (attempt > 0) await sleep(2 ** (attempt - 1) * 1000);
    const reply = await gitlab.updateJob({
      jobId: debt.jobId,
      token: debt.token,
      state: "failed",
      failureReason: wireReason(settlement.reason, debt.knownReasons),
      ...(settlement.exitCode === undefined ? {} : { exitCode: settlement.exitCode }),
    });
    if (reply.kind !== "unavailable" && reply.kind !== "conflict") return true;
  }
  return false;
}

/** Best effort: the result matters more than its explanation. */
async function append(
  gitlab: Pick<GitLabClient, "patchTrace">,
  debt: Debt,
  text: string,
): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  let offset = 0;
  for (let attempt = 0; attempt < 3; attempt++) {
    const reply = await gitlab.patchTrace({
      jobId: debt.jobId,
      token: debt.token,
      bytes,
      offset,
      debugTrace: false,
    });
    if (reply.kind !== "rangeMismatch" || reply.size === undefined) return;
    offset = reply.size;
  }
}

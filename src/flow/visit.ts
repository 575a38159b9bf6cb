// One visit to a claim, as what it does shares it.

import type { Observed } from "../core/advance.ts";
import type { ClaimPhase, ClaimRecord } from "../core/claim.ts";
import type { AdvanceDeps } from "./advance-deps.ts";
import type { ClaimedJob } from "./claimed-job.ts";
import type { Seen } from "./observe.ts";

export type Advanced =
  /** There is no such claim (any more). */
  | { readonly kind: "gone" }
  /** To be visited again at `until`, or when something happens to its task. */
  | {
      readonly kind: "waiting";
      readonly phase: ClaimPhase["kind"];
      readonly until: number | undefined;
    };

export interface Visit {
  readonly deps: AdvanceDeps;
  readonly claimId: string;
  readonly job: ClaimedJob;
  readonly seen: Seen;
  readonly observed: Observed;
  /** When the record was read. */
  readonly readAt: number;
  /** False where somebody else has changed the record meanwhile: look again. */
  readonly save: (next: ClaimRecord) => Promise<boolean>;
}

/** A line of the functions' log. */
export function report(
  { deps, claimId, job }: Visit,
  message: string,
  fields: {
    /** Only of a job that failed: failures are counted by it. */
    readonly reason?: string | undefined;
    readonly why?: string;
  } = {},
): void {
  const { project, claim } = job;
  deps.logger.info(message, { job_id: claim.jobId, claim: claimId, project, ...fields });
}

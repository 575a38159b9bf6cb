// The job's log before its agent lives. What we say is first written into the claim's record, then sent: whoever goes
// on from the record has every byte that GitLab may have.

import { debugTrace } from "../core/script.ts";
import { createTimestamps } from "../core/timestamps.ts";
import type { ClaimedJob } from "./claimed-job.ts";
import type { JobNow } from "../core/advance.ts";

/** The lines as they stand in a log: masked, and stamped where the job's are. */
export function logText({ debt }: ClaimedJob, lines: string, now: number): string {
  const masked = debt.mask(lines);
  if (!debt.timestamps) return masked;
  const stamped = createTimestamps("00O", () => now).write(new TextEncoder().encode(masked));
  return new TextDecoder().decode(stamped);
}

/**
 * Sends what GitLab has not of `trace`, whose last `newBytes` are new. Resolves to what the answers said of the job.
 * Best effort: who comes later sends what is missing.
 */
export async function sendTrace(
  { claim, debt, gitlab, launchable }: ClaimedJob,
  trace: string,
  newText: string,
): Promise<JobNow> {
  const bytes = new TextEncoder().encode(trace);
  let offset = bytes.length - new TextEncoder().encode(newText).length;
  const shown =
    launchable !== undefined &&
    debugTrace(launchable.variables, launchable.runner.settings.debug_trace_disabled).value;
  let job: JobNow = "unasked";
  for (let round = 0; round < 3 && offset < bytes.length; round++) {
    const reply = await gitlab.patchTrace({
      jobId: claim.jobId,
      token: debt.token,
      bytes: bytes.subarray(offset),
      offset,
      debugTrace: shown,
    });
    if (reply.kind === "aborted") return "over";
    if (reply.jobStatus === "canceling") job = "canceling";
    if (reply.kind === "unavailable") return job;
    // More than we wrote: an agent writes already, and has all of ours.
    if (reply.kind === "rangeMismatch" && (reply.size === undefined || reply.size > bytes.length)) {
      return job;
    }
    offset = reply.nextOffset;
  }
  return job;
}

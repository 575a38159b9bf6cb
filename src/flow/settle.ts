// Pays the debt of a claimed job whose agent can no longer do so: a last line in the trace, then the
// result. The trace's length is unknown here, so GitLab is asked for it by a write it must refuse.

import { errorLine } from "../core/colours.ts";
import { wireReason } from "../core/failure-reason.ts";
import type { FailureReason } from "../core/failure-reason.ts";
import { resolveFeatureFlags } from "../core/feature-flags.ts";
import type { Job } from "../core/job.ts";
import { jobMask, textMask } from "../core/job-mask.ts";
import type { TextMask } from "../core/job-mask.ts";
import type { Secret } from "../core/secret.ts";
import type { Settings } from "../core/settings.ts";
import { createTimestamps } from "../core/timestamps.ts";
import type { GitLabClient } from "../gitlab/client.ts";

export interface Debt {
  readonly jobId: number;
  readonly token: Secret;
  /** `features.failure_reasons` of the payload. */
  readonly knownReasons: readonly string[];
  /** FF_TIMESTAMPS, as the lines before ours have it. */
  readonly timestamps: boolean;
  /** What is said of the job by others than its agent goes through this. */
  readonly mask: TextMask;
}

export interface Settlement {
  readonly reason: FailureReason;
  /** One sentence for the end of the job's log. */
  readonly message: string;
  readonly exitCode?: number;
}

export type Settled =
  | "told"
  /** GitLab has ended the job before, and wants nothing more of it. */
  | "over"
  /** Nobody answered for as long as we tried. */
  | "unheard";

export interface SettleTools {
  readonly gitlab: Pick<GitLabClient, "patchTrace" | "updateJob">;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
}

const attempts = 10;

/** The debt of a claim, as far as its payload can be read. */
export function debtOf(
  jobId: number,
  token: Secret,
  job: Job | undefined,
  settings: Pick<Settings, "feature_flags" | "environment">,
): Debt {
  const { flags } = resolveFeatureFlags({
    configured: settings.feature_flags,
    environment: settings.environment,
    variables: job?.variables ?? [],
  });
  const knownReasons = job?.features.failure_reasons ?? [];
  const mask = job === undefined ? textMask([token.reveal()]) : jobMask(job, settings);
  return { jobId, token, knownReasons, timestamps: flags.FF_TIMESTAMPS, mask };
}

/** Tells GitLab that the job failed, and why. */
export async function settle(
  tools: SettleTools,
  debt: Debt,
  settlement: Settlement,
): Promise<Settled> {
  const { gitlab, sleep } = tools;
  await appendLastLine(tools, debt, settlement.message);
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (attempt > 0) await sleep(2 ** (attempt - 1) * 1000);
    const reply = await gitlab.updateJob({
      jobId: debt.jobId,
      token: debt.token,
      state: "failed",
      failureReason: wireReason(settlement.reason, debt.knownReasons),
      ...(settlement.exitCode === undefined ? {} : { exitCode: settlement.exitCode }),
    });
    if (reply.kind === "refused") return "over";
    if (reply.kind !== "unavailable" && reply.kind !== "conflict") return "told";
  }
  return "unheard";
}

/** Best effort: the result matters more than its explanation. */
export async function appendLastLine(
  { gitlab, wallClock }: Pick<SettleTools, "gitlab" | "wallClock">,
  debt: Debt,
  message: string,
  shape: (text: string) => string = errorLine,
): Promise<void> {
  const line = new TextEncoder().encode(shape(debt.mask(message)));
  const stamped = debt.timestamps ? createTimestamps("00O", wallClock).write(line) : line;
  await append(gitlab, debt, stamped);
}

async function append(
  gitlab: Pick<GitLabClient, "patchTrace">,
  debt: Debt,
  line: Uint8Array,
): Promise<void> {
  let bytes = line;
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
    // A stamped log ends with a line's end; any other may end in the middle of one.
    if (!debt.timestamps && offset > 0) bytes = Uint8Array.of(0x0a, ...line);
  }
}

// The last word about a job whose agent cannot say it: a line at the end of its log, and the result.

import type { ClaimPhase, Verdict } from "../core/claim.ts";
import { warningLine } from "../core/colours.ts";
import { wireReason } from "../core/failure-reason.ts";
import type { AdvanceDeps } from "./advance-deps.ts";
import type { ClaimedJob } from "./claimed-job.ts";
import { appendLastLine } from "./settle.ts";
import type { Settled } from "./settle.ts";

/** Behind a result that the agent left without a word from GitLab: nobody knows how much of its log has arrived. */
const unconfirmed =
  "the agent was lost before GitLab had confirmed all of this log; what is missing here is in CloudWatch Logs, by the link above";

/** One try; who is not heard comes again later. */
export async function tellGitLab(
  deps: Pick<AdvanceDeps, "now">,
  { claim, debt, gitlab }: ClaimedJob,
  verdict: Verdict,
): Promise<Settled> {
  const tools = { gitlab, wallClock: deps.now };
  if (verdict.message === "") await appendLastLine(tools, debt, unconfirmed, warningLine);
  else await appendLastLine(tools, debt, verdict.message);
  const { state, reason = "unknown_failure", exitCode } = verdict;
  const reply = await gitlab.updateJob({
    jobId: claim.jobId,
    token: debt.token,
    state,
    ...(state === "failed" ? { failureReason: wireReason(reason, debt.knownReasons) } : {}),
    ...(exitCode === undefined ? {} : { exitCode }),
  });
  if (reply.kind === "refused") return "over";
  return reply.kind === "unavailable" || reply.kind === "conflict" ? "unheard" : "told";
}

type Telling = Extract<ClaimPhase, { kind: "telling" }>;

/** Nobody else tells it meanwhile. */
const exclusiveMs = 2 * 60_000;
const longestPauseMs = 10 * 60_000;
/** GitLab itself has ended such a job long before. */
const mostTries = 150;

export function takeTurn(telling: Telling, now: number): Telling {
  return { ...telling, until: now + exclusiveMs, tries: telling.tries + 1 };
}

/** When to try again what was not heard; undefined: never. */
export function nextTurn(telling: Telling, now: number): Telling | undefined {
  if (telling.tries >= mostTries) return undefined;
  return { ...telling, until: now + Math.min(1000 * 2 ** telling.tries, longestPauseMs) };
}

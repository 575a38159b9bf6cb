// Which claims are to be handed to the launcher now: new ones, and those whose time has come. Everything else about a
// claim is the launcher's to decide; handing one over twice does no harm.

import type { ClaimPhase } from "./claim.ts";

export interface PolledClaim {
  /** The claim's id. */
  readonly name: string;
  readonly runner: string;
  readonly cpuUnits: number;
  readonly claimedAt: number;
  /** undefined where the record could not be read: somebody else's affair. */
  readonly phase: ClaimPhase | undefined;
}

/** Lambda itself tries twice more within minutes; one that was lost all the same is not left lying. */
const lostAfterMilliseconds = 60_000;
/** A claim whose time has come is not handed over again while its launcher may still be at it. */
const againAfterMilliseconds = 20_000;
/** A launcher has its answer from ECS by then, or will not get one. */
const launchMilliseconds = 20_000;

/** Oldest first. `handedOver`: when this poller last did so, by claim. */
export function dueClaims(
  claims: readonly PolledClaim[],
  handedOver: ReadonlyMap<string, number>,
  nowMs: number,
): readonly string[] {
  return claims
    .filter((claim) => isDue(claim, handedOver.get(claim.name), nowMs))
    .toSorted((a, b) => a.claimedAt - b.claimedAt)
    .map(({ name }) => name);
}

function isDue(claim: PolledClaim, handedOverAt: number | undefined, nowMs: number): boolean {
  const { phase } = claim;
  if (phase === undefined) return false;
  const rest = (milliseconds: number) =>
    handedOverAt === undefined || nowMs - handedOverAt >= milliseconds;
  // A hand-over from before that moment was for something else.
  const isTime = (until: number) =>
    nowMs >= until && (rest(againAfterMilliseconds) || (handedOverAt ?? 0) < until);
  switch (phase.kind) {
    case "claimed":
      return handedOverAt === undefined
        ? nowMs - claim.claimedAt >= lostAfterMilliseconds
        : nowMs - handedOverAt >= lostAfterMilliseconds;
    case "waiting":
    case "telling":
    case "closing":
      return isTime(phase.until);
    case "launching":
      if (phase.throttled !== undefined) return isTime(phase.throttled.until);
      // Its launcher has gone without an answer from ECS: the next one asks for the same task again.
      return nowMs - phase.since >= launchMilliseconds && rest(againAfterMilliseconds);
    case "running":
      return false;
  }
}

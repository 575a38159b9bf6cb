// Where everything lies in the state bucket. Nothing else makes up a key.

import { formatClaimId, parseClaimId } from "./claim.ts";
import type { ClaimId } from "./claim.ts";

export const stateKeys = {
  /** Who polls now, and what it has learned of each token's health. */
  lease: "poller/lease.json",
  claims: "claims/",
  claim: (id: ClaimId): string => `claims/${formatClaimId(id)}.json`,
  /** All that belongs to one job besides its claim. */
  job: (jobKey: string): string => `jobs/${jobKey}/`,
  /** ECS reads it for the agent's container: the address of the hand-off, and nothing else. */
  agentEnvironment: (jobKey: string, launch: string): string =>
    `jobs/${jobKey}/${launch}/agent.env`,
  serviceEnvironment: (jobKey: string, launch: string, container: string): string =>
    `jobs/${jobKey}/${launch}/${container}.env`,
  handOff: (jobKey: string, launch: string): string => `jobs/${jobKey}/${launch}/hand-off.json`,
  /** Somebody registers this definition now: hundreds of jobs may need it at the same moment, and one is enough. */
  registering: (family: string): string => `jobs/registering/${family}`,
  /** Fresh addresses for an agent that has run for long: theirs end with the session that signed them. */
  grants: (jobKey: string): string => `jobs/${jobKey}/grants.json`,
  /** The fence: whoever makes it may run the job's script. */
  started: (jobKey: string, fence = 0): string =>
    `jobs/${jobKey}/started${fence === 0 ? "" : `-${fence}`}`,
  /** What the agent is about to tell GitLab. */
  result: (jobKey: string): string => `jobs/${jobKey}/result.json`,
} as const;

/** The claim that a key of the listing stands for; undefined where it is none. */
export function claimOfKey(key: string): ClaimId | undefined {
  const match = /^claims\/(.+)\.json$/.exec(key);
  return match?.[1] === undefined ? undefined : parseClaimId(match[1]);
}

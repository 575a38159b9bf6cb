// When to stop asking for jobs: three refusals (403) of the token in a row end the polling for an
// hour. Everything else (204, 409, 5xx, no network) counts as healthy. The state belongs to the
// credentials, so a corrected token ends the ban at once; it is plain data and can be stored.

import { createHash } from "node:crypto";
import type { Secret } from "../core/secret.ts";

export interface HealthLimits {
  /** `unhealthy_requests_limit` */
  readonly unhealthyRequestsLimit: number;
  /** `unhealthy_interval` */
  readonly unhealthyIntervalSeconds: number;
}

export const defaultHealthLimits: HealthLimits = {
  unhealthyRequestsLimit: 3,
  unhealthyIntervalSeconds: 3600,
};

export interface HealthState {
  /** `credentialsKey` of the URL and token that this is about. */
  readonly credentials: string;
  readonly refusals: number;
  readonly lastRefusalMs: number;
}

/** The kind of `requestJob`'s outcome. */
export type PollReply = "job" | "none" | "conflict" | "forbidden" | "rejected" | "unavailable";

/** A hash that tells one pair of URL and token from another, and neither of them to a reader. */
export function credentialsKey(url: string, token: Secret): string {
  return createHash("sha256").update(`${url}\n${token.reveal()}`).digest("hex");
}

/** What is known about these credentials; a clean slate for new ones. */
export function healthOf(known: HealthState | undefined, credentials: string): HealthState {
  if (known?.credentials === credentials) return known;
  return { credentials, refusals: 0, lastRefusalMs: 0 };
}

/** The moment until which nobody asks, if there is one. */
export function bannedUntil(
  state: HealthState,
  nowMs: number,
  limits: HealthLimits,
): number | undefined {
  if (state.refusals < limits.unhealthyRequestsLimit) return undefined;
  const untilMs = state.lastRefusalMs + limits.unhealthyIntervalSeconds * 1000;
  // A clock that was set back must not make the hour longer.
  return nowMs >= state.lastRefusalMs && nowMs < untilMs ? untilMs : undefined;
}

export function afterReply(
  state: HealthState,
  reply: PollReply,
  nowMs: number,
  limits: HealthLimits,
): HealthState {
  const { credentials } = state;
  if (reply !== "forbidden") return { credentials, refusals: 0, lastRefusalMs: 0 };
  const banIsOver =
    state.refusals >= limits.unhealthyRequestsLimit &&
    bannedUntil(state, nowMs, limits) === undefined;
  return { credentials, refusals: banIsOver ? 1 : state.refusals + 1, lastRefusalMs: nowMs };
}

/** The rule for a process that polls: it keeps the state and says when a ban begins. */
export interface RunnerHealth {
  bannedUntil(nowMs: number): number | undefined;
  /** A sentence for whoever runs the runner, when this reply was one too many. */
  onReply(reply: PollReply, nowMs: number): string | undefined;
  readonly state: HealthState;
}

export function trackHealth(
  credentials: string,
  limits: HealthLimits = defaultHealthLimits,
  known?: HealthState,
): RunnerHealth {
  let state = healthOf(known, credentials);
  return {
    get state() {
      return state;
    },
    bannedUntil: (nowMs) => bannedUntil(state, nowMs, limits),
    onReply(reply, nowMs) {
      state = afterReply(state, reply, nowMs, limits);
      if (bannedUntil(state, nowMs, limits) === undefined) return undefined;
      const minutes = Math.ceil(limits.unhealthyIntervalSeconds / 60);
      return `GitLab refused this runner's token ${state.refusals} times in a row: no more requests for ${minutes} minutes. See whether the runner still exists in GitLab, and start again with its token.`;
    },
  };
}

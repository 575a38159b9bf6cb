// HTTP-level retries: which answers are worth asking again for, and how long to wait first.
// GitLab names the moment (RateLimit-ResetTime) or the seconds (Retry-After); else we back off.

import { backoffMs, requestBackoff } from "../core/retry.ts";

export const attemptLimit = 5;

const retryable: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

export function isRetryable(status: number): boolean {
  return retryable.has(status) || status >= 512;
}

export interface WaitInput {
  readonly rateLimitResetTime: string | undefined;
  readonly retryAfter: string | undefined;
  /** How many attempts have been made: 1 or more. */
  readonly attempts: number;
  readonly nowMs: number;
  /** 0 <= chance < 1. */
  readonly chance: number;
}

export function retryWaitSeconds(input: WaitInput): number {
  return (
    untilReset(input.rateLimitResetTime, input.nowMs) ??
    retryAfterSeconds(input.retryAfter) ??
    backoffMs(requestBackoff, input.attempts, input.chance) / 1000
  );
}

const rfc1123 = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} (GMT|UTC)$/;

function untilReset(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined || !rfc1123.test(header)) return undefined;
  const seconds = (Date.parse(header) - nowMs) / 1000;
  return seconds > 0 ? seconds : undefined;
}

/** Whole seconds only: the HTTP date that the standard also allows is not used by GitLab. */
export function retryAfterSeconds(header: string | undefined): number | undefined {
  if (header === undefined || !/^\d{1,9}$/.test(header)) return undefined;
  const seconds = Number(header);
  return seconds > 0 ? seconds : undefined;
}

// HTTP-level retries: which answers are worth asking again for, and how long to wait first.
// GitLab names the moment (RateLimit-ResetTime) or the seconds (Retry-After); else we back off.

export const attemptLimit = 5;

const firstWaitSeconds = 0.1;
const longestWaitSeconds = 60;
const retryable: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

export function isRetryable(status: number): boolean {
  return retryable.has(status) || status >= 512;
}

export interface WaitInput {
  readonly rateLimitResetTime: string | undefined;
  readonly retryAfter: string | undefined;
  /** 0 after the first attempt. */
  readonly attempt: number;
  readonly nowMs: number;
  /** 0 <= chance < 1. */
  readonly chance: number;
}

export function retryWaitSeconds(input: WaitInput): number {
  return (
    untilReset(input.rateLimitResetTime, input.nowMs) ??
    retryAfterSeconds(input.retryAfter) ??
    backOffSeconds(input.attempt, input.chance)
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

/** 100 ms doubling to 60 s; with jitter anywhere between 100 ms and that. */
function backOffSeconds(attempt: number, chance: number): number {
  const full = Math.min(firstWaitSeconds * 2 ** attempt, longestWaitSeconds);
  return firstWaitSeconds + chance * (full - firstWaitSeconds);
}

// GitLab's limits of requests per minute, counted in fixed windows.

import type { Reply } from "./http/reply.ts";
import { json } from "./http/reply.ts";

export interface RateLimits {
  /** `POST /jobs/request`, per runner. */
  readonly jobRequestsPerMinute: number;
  /** `PATCH /jobs/:id/trace`, per job. */
  readonly tracesPerMinute: number;
  /** Everything else below `/jobs/:id`, per job. */
  readonly jobCallsPerMinute: number;
}

export const gitLabLimits: RateLimits = {
  jobRequestsPerMinute: 2000,
  tracesPerMinute: 200,
  jobCallsPerMinute: 200,
};

const windowMilliseconds = 60_000;

export class RateLimiter {
  readonly #now: () => number;
  readonly #counts = new Map<string, { window: number; count: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The refusal, once a key has been counted more often than this within the minute. */
  exceeded(key: string, limit: number): Reply | undefined {
    const window = Math.floor(this.#now() / windowMilliseconds);
    const known = this.#counts.get(key);
    const count = known?.window === window ? known.count + 1 : 1;
    this.#counts.set(key, { window, count });
    if (count <= limit) return undefined;
    return json(
      429,
      {
        message: { error: "This endpoint has been requested too many times. Try again later." },
      },
      { "retry-after": "60" },
    );
  }
}

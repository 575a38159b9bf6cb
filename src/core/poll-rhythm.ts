// When a runner may ask GitLab again, after each kind of answer: at once where GitLab will hold the next request, after
// its interval where not, later and later while GitLab is in trouble.

import { backoffMs } from "./retry.ts";
import type { Backoff } from "./retry.ts";

export interface Rhythm {
  /** The queue value that GitLab gave last: sent with a request, it makes GitLab hold it. */
  readonly lastUpdate: string | undefined;
  /** Whether the last request was made without waiting for the interval: never two in a row. */
  readonly hurried: boolean;
  /** Answers in a row that were no use. */
  readonly failures: number;
  /** Not before this moment. */
  readonly notBeforeMs: number;
}

export type RhythmReply =
  | { readonly kind: "job" }
  | { readonly kind: "none"; readonly lastUpdate: string | undefined }
  | { readonly kind: "conflict" | "forbidden" | "rejected" }
  | { readonly kind: "unavailable"; readonly retryAfterSeconds: number | undefined };

export const freshRhythm: Rhythm = {
  lastUpdate: undefined,
  hurried: false,
  failures: 0,
  notBeforeMs: 0,
};

const trouble: Backoff = { firstMs: 3000, factor: 2, maxMs: 60_000, jitter: false };

export function nextRhythm(
  rhythm: Rhythm,
  reply: RhythmReply,
  times: { readonly askedMs: number; readonly nowMs: number; readonly intervalMs: number },
  strictInterval: boolean,
): Rhythm {
  const { askedMs, nowMs, intervalMs } = times;
  const after = Math.max(nowMs, askedMs + intervalMs);
  switch (reply.kind) {
    case "job":
      return { ...rhythm, failures: 0, notBeforeMs: strictInterval ? after : nowMs };
    case "none": {
      const { lastUpdate } = reply;
      const mayBeHeld = lastUpdate !== undefined && lastUpdate !== rhythm.lastUpdate;
      const hurried = mayBeHeld && !rhythm.hurried;
      return { lastUpdate, hurried, failures: 0, notBeforeMs: hurried ? nowMs : after };
    }
    case "conflict":
    case "forbidden":
      return { ...rhythm, failures: 0, notBeforeMs: after };
    case "rejected":
    case "unavailable": {
      const failures = rhythm.failures + 1;
      const asked = reply.kind === "unavailable" ? (reply.retryAfterSeconds ?? 0) * 1000 : 0;
      const wait = Math.max(backoffMs(trouble, failures, 0), asked);
      return { ...rhythm, failures, notBeforeMs: Math.max(after, nowMs + wait) };
    }
  }
}

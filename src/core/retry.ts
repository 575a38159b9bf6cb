// Waiting before another try: how long is a pure function of the try's number and a given chance, and
// how often a stage may be tried is the job's to say.

import type { JobVariables } from "./variables.ts";

export interface Backoff {
  readonly firstMs: number;
  readonly factor: number;
  readonly maxMs: number;
  /** Spread the waits between firstMs and the full wait, so that many do not come at once. */
  readonly jitter: boolean;
}

/** One HTTP request: 408, 429, 5xx. */
export const requestBackoff: Backoff = { firstMs: 100, factor: 2, maxMs: 60_000, jitter: true };
/** The result of a job, after a round of requests failed. */
export const finalUpdateBackoff: Backoff = {
  firstMs: 1000,
  factor: 2,
  maxMs: 3_600_000,
  jitter: false,
};
/** A stage of a job (GET_SOURCES_ATTEMPTS and the like). */
export const stageBackoff: Backoff = { firstMs: 5000, factor: 2, maxMs: 300_000, jitter: false };
/** An artifact's upload. */
export const uploadBackoff: Backoff = { firstMs: 1000, factor: 2, maxMs: 5000, jitter: false };

/** How long to wait after `failures` failed tries (1 or more). `random` is in [0, 1). */
export function backoffMs(backoff: Backoff, failures: number, random: number): number {
  const full = Math.min(backoff.firstMs * backoff.factor ** (failures - 1), backoff.maxMs);
  if (!backoff.jitter) return full;
  return Math.round(backoff.firstMs + random * (full - backoff.firstMs));
}

export type Attempts =
  | { readonly kind: "attempts"; readonly count: number }
  | { readonly kind: "invalid"; readonly message: string };

/** config.toml's world has two more: a container is not looked for again here, and secrets are not fetched. */
export type AttemptsVariable =
  | "GET_SOURCES_ATTEMPTS"
  | "RESTORE_CACHE_ATTEMPTS"
  | "ARTIFACT_DOWNLOAD_ATTEMPTS";

/** Once, unless the variable says otherwise; a number out of range fails the stage. */
export function stageAttempts(variables: JobVariables, name: AttemptsVariable): Attempts {
  const text = variables.get(name);
  if (!/^[+-]?\d+$/.test(text)) return { kind: "attempts", count: 1 };
  const count = Number(text);
  if (count >= 1 && count <= 10) return { kind: "attempts", count };
  return { kind: "invalid", message: `${name} must be a number from 1 to 10` };
}

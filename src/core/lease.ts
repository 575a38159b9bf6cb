// Who polls now: one object in the state bucket, written on the condition that it is still as it was read. Whoever holds
// it renews it; what the next poller has to know lies in it too.

import * as z from "zod";
import { usageSchema } from "./poll-usage.ts";

const healthSchema = z.object({ refusals: z.number().int(), lastRefusalMs: z.number() });

export const leaseSchema = z.object({
  version: z.literal(1),
  /** Empty: it was given back. */
  holder: z.string(),
  /** Milliseconds since the epoch: not renewed until then, it is anybody's. */
  expiresAt: z.number(),
  /** When the holder asks for jobs for the last time. */
  endsAt: z.number(),
  /** Requests that the last holder had still under way when it gave the lease back, and until when. */
  left: z.object({ until: z.number(), requests: z.record(z.string(), z.number()) }),
  /** By the hash of GitLab's address and the token: a corrected token has a clean slate. */
  health: z.record(z.string(), healthSchema),
  usage: usageSchema.optional(),
});

export type LeaseRecord = z.output<typeof leaseSchema>;

/** What a poller leaves to the next one. */
export type LeaseNotes = Pick<LeaseRecord, "health" | "usage" | "left">;

export const leaseTimes = {
  /** Longer than a few failed renewals; a killed poller is missed for this long at most, and until the next tick. */
  lifeMilliseconds: 30_000,
  renewMilliseconds: 10_000,
  /** Before its end nobody relies on it: clocks differ. */
  marginMilliseconds: 5_000,
} as const;

export const noNotes: LeaseNotes = { health: {}, left: { until: 0, requests: {} } };

/** undefined where it is nobody's, or cannot be read. */
export function holderOf(text: string, nowMs: number): LeaseRecord | undefined {
  const record = readLease(text);
  if (record === undefined || record.holder === "" || nowMs >= record.expiresAt) return undefined;
  return record;
}

export function readLease(text: string): LeaseRecord | undefined {
  try {
    const parsed = leaseSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/**
 * How long to wait for what another holds: it is about to end, or has missed a renewal. undefined: it goes on, and the
 * next tick looks again.
 */
export function worthWaiting(
  record: LeaseRecord,
  nowMs: number,
  patienceMs: number,
): number | undefined {
  const { lifeMilliseconds, renewMilliseconds } = leaseTimes;
  const left = record.expiresAt - nowMs;
  if (left < lifeMilliseconds - 1.5 * renewMilliseconds) return left;
  const ends = record.endsAt - nowMs;
  return ends <= patienceMs ? Math.max(0, ends) : undefined;
}

/** Requests of the last holder that may still bring a job. */
export function leftRequests({ left }: LeaseNotes, nowMs: number): ReadonlyMap<string, number> {
  return new Map(nowMs < left.until ? Object.entries(left.requests) : []);
}

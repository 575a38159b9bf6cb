// vCPU minutes of a day, for daily_vcpu_minutes: added up by looking at what runs, again and again. A job counts from
// its start on, as AWS bills it.

import * as z from "zod";

export const usageSchema = z.object({
  /** UTC, `2026-11-22`. */
  day: z.string(),
  /** By runner. */
  minutes: z.record(z.string(), z.number()),
  /** When it was last looked. */
  atMs: z.number(),
});

export type Usage = z.output<typeof usageSchema>;

/** Longer than a poller is ever missed for: after that nobody knows what ran meanwhile. */
const longestGapMilliseconds = 10 * 60_000;

export function noUsage(nowMs: number): Usage {
  return { day: dayOf(nowMs), minutes: {}, atMs: nowMs };
}

/** What ran since the last look is taken to be what runs now. */
export function addUsage(
  usage: Usage,
  running: readonly { readonly runner: string; readonly cpuUnits: number }[],
  nowMs: number,
): Usage {
  const day = dayOf(nowMs);
  const minutes: Record<string, number> = day === usage.day ? { ...usage.minutes } : {};
  const since = Math.max(usage.atMs, day === usage.day ? 0 : startOfDay(nowMs));
  const passed = Math.min(longestGapMilliseconds, Math.max(0, nowMs - since)) / 60_000;
  for (const { runner, cpuUnits } of running) {
    minutes[runner] = (minutes[runner] ?? 0) + (cpuUnits / 1024) * passed;
  }
  return { day, minutes, atMs: nowMs };
}

function dayOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}

function startOfDay(milliseconds: number): number {
  return Date.parse(`${dayOf(milliseconds)}T00:00:00Z`);
}

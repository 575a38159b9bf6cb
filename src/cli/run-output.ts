// `burst run`'s stdout: one line per event, for people or as JSON for machines.

import type { RunEvent } from "../flow/run-events.ts";

export type LogFormat = "text" | "json";

export function formatEvent(event: RunEvent, format: LogFormat, time: Date): string {
  const last = event.durationSeconds !== undefined;
  if (format === "json") {
    return JSON.stringify({
      time: time.toISOString(),
      event: event.event,
      job_id: event.jobId,
      project: event.project,
      name: event.name,
      duration_seconds: event.durationSeconds === undefined ? null : round(event.durationSeconds),
      result: last ? event.event : null,
      failure_reason: event.failureReason ?? null,
    });
  }
  const words = [`job ${event.jobId}`, event.event, event.project, event.name];
  if (event.durationSeconds !== undefined) words.push(`${round(event.durationSeconds)}s`);
  if (event.failureReason !== undefined) words.push(event.failureReason);
  return words.filter((word) => word !== "").join(" ");
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}

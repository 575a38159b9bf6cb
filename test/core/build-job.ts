// A job as parseJob gives it, from the few fields that a test is about.

import { parseJob } from "../../src/core/job.ts";
import type { Job } from "../../src/core/job.ts";

export function buildJob(fields: Readonly<Record<string, unknown>> = {}): Job {
  const parsed = parseJob({ id: 42, token: "glcbt-64_job-token", ...fields });
  if (parsed.kind === "invalid") throw new Error(parsed.message);
  return parsed.job;
}

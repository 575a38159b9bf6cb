// Jobs, settings and variables for tests of the plan: only what a case is about is written in it.

import { expandText } from "../../src/core/expand.ts";
import { parseJob } from "../../src/core/job.ts";
import type { Job } from "../../src/core/job.ts";
import { parseSettings } from "../../src/core/settings.ts";
import type { Settings } from "../../src/core/settings.ts";

export function jobOf(payload: object = {}): Job {
  const parsed = parseJob({ id: 42, token: "glcbt-job-token", ...payload });
  if (parsed.kind === "invalid") throw new Error(parsed.message);
  return parsed.job;
}

export function settingsOf(input: object = {}): Settings {
  const parsed = parseSettings(input, "test");
  if (parsed.kind === "invalid") throw new Error(parsed.message);
  return parsed.settings;
}

export function variablesOf(values: Readonly<Record<string, string>> = {}) {
  const get = (key: string) => values[key] ?? "";
  return {
    get,
    has: (key: string) => Object.hasOwn(values, key),
    expand: (text: string) => expandText(text, get),
  };
}

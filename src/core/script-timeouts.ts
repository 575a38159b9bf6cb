// How long a script and an after_script may take: RUNNER_SCRIPT_TIMEOUT, RUNNER_AFTER_SCRIPT_TIMEOUT.

import { parseDurationMs } from "./go-duration.ts";
import type { JobVariables } from "./variables.ts";

export interface ScriptTimeouts {
  /** undefined: only the job's own limit counts. */
  readonly scriptMs: number | undefined;
  readonly afterScriptMs: number | undefined;
  readonly warnings: readonly string[];
}

const afterScriptDefaultMs = 300_000;

/** Go durations. Malformed and negative ones are ignored, 0 means no limit, the job's limit is the most. */
export function scriptTimeouts(variables: JobVariables, jobLeftMs: number): ScriptTimeouts {
  const warnings: string[] = [];
  const read = (name: string, fallbackMs: number | undefined) => {
    const text = variables.get(name).trim();
    if (text === "") return fallbackMs;
    const durationMs = parseDurationMs(text);
    if (durationMs === undefined || durationMs < 0) {
      warnings.push(`${name} is ignored: it must be a duration like 30m or 1h30m, not negative`);
      return fallbackMs;
    }
    if (durationMs > jobLeftMs) {
      warnings.push(`${name} is longer than the job's own timeout, which stays the limit`);
      return jobLeftMs;
    }
    return durationMs === 0 ? undefined : durationMs;
  };
  return {
    scriptMs: read("RUNNER_SCRIPT_TIMEOUT", undefined),
    afterScriptMs: read("RUNNER_AFTER_SCRIPT_TIMEOUT", afterScriptDefaultMs),
    warnings,
  };
}

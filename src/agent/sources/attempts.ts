// GET_SOURCES_ATTEMPTS: the whole stage again, with growing pauses, after a first clearing of the work
// tree.

import { RunnerError } from "../../core/errors.ts";
import type { JobLog } from "../../core/job-log.ts";
import type { Sleep } from "../helper-command.ts";

export interface AttemptsInput {
  readonly attempts: number;
  readonly attempt: () => Promise<void>;
  /** Before the second attempt only: submodules that have changed make fetches fail. */
  readonly clear: () => Promise<void>;
  readonly log: JobLog;
  readonly signal: AbortSignal;
  readonly sleep: Sleep;
}

const firstPauseSeconds = 5;
const longestPauseSeconds = 300;

export async function withAttempts(input: AttemptsInput): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await input.attempt();
      return;
    } catch (error) {
      if (attempt === input.attempts || isFinal(error, input.signal)) throw error;
      const why = error instanceof Error ? error.message : String(error);
      const seconds = pauseSeconds(attempt);
      const next = `${String(attempt + 1)}/${String(input.attempts)}`;
      input.log.warning(`${why}. Attempt ${next} in ${String(seconds)} s...`);
      await input.sleep(seconds * 1000, input.signal);
      input.signal.throwIfAborted();
      if (attempt === 1) await input.clear();
    }
  }
}

export function pauseSeconds(attempt: number): number {
  return Math.min(firstPauseSeconds * 2 ** (attempt - 1), longestPauseSeconds);
}

/** Settings do not get better by trying again. */
function isFinal(error: unknown, signal: AbortSignal): boolean {
  if (signal.aborted) return true;
  return error instanceof RunnerError && error.reason === "runner_configuration_error";
}

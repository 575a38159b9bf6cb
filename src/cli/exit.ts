// How a command ends: exit codes that scripts can rely on, and sentences instead of stack traces.

import { SettingsError } from "../core/errors.ts";

export const exitCodes = {
  done: 0,
  /** Something failed while running. */
  failed: 1,
  /** Arguments or settings are wrong. */
  usage: 2,
  /** Cut short by a second signal. */
  interrupted: 130,
} as const;

/** Prints why a command failed and sets its exit code. Never ends the process: output drains first. */
export function reportFailure(cause: unknown): void {
  const usage = cause instanceof SettingsError;
  const text = cause instanceof Error ? cause.message : String(cause);
  process.stderr.write(`burst: ${text}\n`);
  process.exitCode = usage ? exitCodes.usage : exitCodes.failed;
}

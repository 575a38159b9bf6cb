// Running git: always in the project's folder, always with what an earlier job may have left switched
// off, its output in the job's log, its failure a RunnerError with git's own exit code.

import { RunnerError } from "../../core/errors.ts";
import type { JobLog } from "../../core/job-log.ts";
import { runHelper } from "../helper-command.ts";
import type { HelperOutcome, Sleep } from "../helper-command.ts";

/** Whatever .git/config says (a script may have written it): git starts no program of a job's. */
export const noForeignPrograms = [
  "-c",
  "core.fsmonitor=false",
  "-c",
  "core.hooksPath=/dev/null",
  "-c",
  "protocol.ext.allow=never",
] as const;

export interface Git {
  /** Throws if git fails. */
  run(args: readonly string[]): Promise<void>;
  /** Whether git succeeded. */
  succeeds(args: readonly string[]): Promise<boolean>;
  /** What git printed, not shown in the log. Throws if git fails. */
  read(args: readonly string[]): Promise<string>;
}

export interface GitInput {
  readonly projectDir: string;
  /** Settings for our commands only, as a file (`-c include.path`). */
  readonly settingsFile: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly log: JobLog;
  readonly signal: AbortSignal;
  readonly sleep: Sleep;
}

export function gitIn(input: GitInput): Git {
  const show = (bytes: Uint8Array) => {
    input.log.output(bytes);
  };
  const start = (args: readonly string[], stdout: (bytes: Uint8Array) => void) =>
    runHelper({
      command: "git",
      // Last: the file lies where the job's hooks and services can write.
      args: ["-c", `include.path=${input.settingsFile}`, ...noForeignPrograms, ...args],
      cwd: input.projectDir,
      environment: input.environment,
      stdout,
      stderr: show,
      signal: input.signal,
      sleep: input.sleep,
    });
  const completed = async (args: readonly string[], stdout: (bytes: Uint8Array) => void) => {
    const failure = failureOf(await start(args, stdout), args);
    input.signal.throwIfAborted();
    return failure;
  };
  return {
    async run(args) {
      const failure = await completed(args, show);
      if (failure !== undefined) throw failure;
    },
    async succeeds(args) {
      const failure = await completed(args, show);
      if (failure?.reason === "runner_system_failure") throw failure;
      return failure === undefined;
    },
    async read(args) {
      const chunks: Uint8Array[] = [];
      const failure = await completed(args, (bytes) => chunks.push(bytes));
      if (failure !== undefined) throw failure;
      return Buffer.concat(chunks).toString();
    },
  };
}

function failureOf(outcome: HelperOutcome, args: readonly string[]): RunnerError | undefined {
  const name = `git ${args[0] ?? ""}`;
  switch (outcome.kind) {
    case "exited":
      if (outcome.exitCode === 0) return undefined;
      return new RunnerError(
        "script_failure",
        `${name} ended with exit code ${String(outcome.exitCode)}`,
        { exitCode: outcome.exitCode },
      );
    case "killed":
      return new RunnerError("runner_system_failure", `${name} was killed by ${outcome.by}`);
    case "not_started":
      return new RunnerError("runner_system_failure", outcome.message);
    case "aborted":
      return undefined;
  }
}

// The files of a project that git does not track, ignored ones included: for `artifacts:untracked`.
// Runs after the job's script, in a repository that the script may have changed.

import { join } from "node:path";
import { runHelper } from "../helper-command.ts";
import type { Sleep } from "../helper-command.ts";
import { noForeignPrograms } from "./git-command.ts";
import { plainGitEnvironment } from "./git-environment.ts";

export interface UntrackedInput {
  readonly projectDir: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly sleep: Sleep;
}

export type Untracked =
  /** Relative to the project. One that ends in `/` is a repository of its own: the whole folder. */
  | { readonly kind: "listed"; readonly paths: readonly string[] }
  /** No repository there (GIT_STRATEGY none or empty), or one that git cannot read. */
  | { readonly kind: "failed"; readonly message: string };

/** An abort is thrown, as the signal's reason. */
export async function listUntracked(input: UntrackedInput): Promise<Untracked> {
  const { projectDir, signal } = input;
  const listed: Uint8Array[] = [];
  const complaints: Uint8Array[] = [];
  const outcome = await runHelper({
    command: "git",
    args: [
      ...noForeignPrograms,
      // Both named: neither a core.worktree in the settings nor the folder's owner is asked.
      `--git-dir=${join(projectDir, ".git")}`,
      `--work-tree=${projectDir}`,
      "ls-files",
      "--others",
      "-z",
    ],
    cwd: projectDir,
    environment: {
      ...plainGitEnvironment(input.environment, projectDir),
      // A script can make it a clone whose missing objects git would fetch, by a program of the script's choice.
      GIT_NO_LAZY_FETCH: "1",
      GIT_ALLOW_PROTOCOL: "none",
    },
    stdout: (bytes) => listed.push(bytes),
    stderr: (bytes) => complaints.push(bytes),
    signal,
    sleep: input.sleep,
  });
  signal.throwIfAborted();
  if (outcome.kind === "exited" && outcome.exitCode === 0) {
    return { kind: "listed", paths: text(listed).split("\0").filter(isInside) };
  }
  if (outcome.kind === "not_started") return { kind: "failed", message: outcome.message };
  const why = text(complaints).trim() || "git ls-files did not end well";
  return { kind: "failed", message: `untracked files cannot be listed: ${why}` };
}

function text(chunks: readonly Uint8Array[]): string {
  return Buffer.concat(chunks).toString();
}

function isInside(path: string): boolean {
  return path !== "" && !path.startsWith("/") && !path.split("/").includes("..");
}

// A helper process of a stage (git, mostly): its output is streamed, it sees only the environment it is
// given, and an abort ends it with everything it started. It leads a process group of its own, so
// neither a terminal's Ctrl-C nor a password prompt ever reaches it.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

export type Sleep = (milliseconds: number, signal?: AbortSignal) => Promise<void>;

export interface HelperCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** All of it: nothing of the agent's own environment is added. */
  readonly environment: Readonly<Record<string, string>>;
  readonly stdout: (bytes: Uint8Array) => void;
  readonly stderr: (bytes: Uint8Array) => void;
  readonly signal: AbortSignal;
  readonly sleep: Sleep;
}

export type HelperOutcome =
  | { readonly kind: "exited"; readonly exitCode: number }
  /** Killed, and not by us. */
  | { readonly kind: "killed"; readonly by: NodeJS.Signals }
  /** The signal was aborted; no process is left. */
  | { readonly kind: "aborted" }
  | { readonly kind: "not_started"; readonly message: string };

/** Between TERM, on which git removes its lock files, and KILL. */
const graceMilliseconds = 10_000;
/** A daemon that the helper left behind (ssh's ControlPersist) may hold its pipes open for hours. */
const drainMilliseconds = 1_000;

export async function runHelper(helper: HelperCommand): Promise<HelperOutcome> {
  if (helper.signal.aborted) return { kind: "aborted" };
  const child = spawn(helper.command, helper.args, {
    cwd: helper.cwd,
    env: helper.environment,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  child.stdout.on("data", helper.stdout);
  child.stderr.on("data", helper.stderr);
  const closed = new Promise<void>((resolve) => {
    child.once("close", () => {
      resolve();
    });
  });
  const ended = endOf(child, helper);
  let stopped: Promise<void> | undefined;
  const onAbort = () => {
    stopped = stop(child, ended, helper.sleep);
  };
  helper.signal.addEventListener("abort", onAbort, { once: true });
  try {
    const outcome = await ended;
    await stopped;
    await drained(child, closed);
    return helper.signal.aborted ? { kind: "aborted" } : outcome;
  } finally {
    helper.signal.removeEventListener("abort", onAbort);
  }
}

function endOf(child: ChildProcess, helper: HelperCommand): Promise<HelperOutcome> {
  return new Promise((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code ?? error.message;
      resolve({
        kind: "not_started",
        message:
          `${helper.command} could not be started in ${helper.cwd} (${why}): ` +
          `it must be installed and on the PATH, and the folder must exist`,
      });
    });
    child.once("exit", (exitCode, by) => {
      resolve(by === null ? { kind: "exited", exitCode: exitCode ?? 1 } : { kind: "killed", by });
    });
  });
}

async function stop(child: ChildProcess, ended: Promise<unknown>, sleep: Sleep): Promise<void> {
  const gone = new AbortController();
  signalGroup(child, "SIGTERM");
  await Promise.race([ended, sleep(graceMilliseconds, gone.signal)]);
  gone.abort();
  // Also where the leader is gone already: what it started need not have heard the TERM.
  signalGroup(child, "SIGKILL");
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

async function drained(child: ChildProcess, closed: Promise<void>): Promise<void> {
  const enough = new AbortController();
  const patience = delay(drainMilliseconds, undefined, { signal: enough.signal }).catch(() => {});
  await Promise.race([closed, patience]);
  enough.abort();
  child.stdout?.destroy();
  child.stderr?.destroy();
}

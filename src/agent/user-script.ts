// The user's own lines: each step of the job, the hooks around git, and after_script, run by the shell in
// the job's container, within their time limits.

import { canceled, scriptOutcome } from "../core/outcome.ts";
import type { Outcome } from "../core/outcome.ts";
import { stageScript } from "../core/script.ts";
import type { ScriptKind } from "../core/script.ts";
import type { JobVariables } from "../core/variables.ts";
import { ContainerGone } from "./container-gone.ts";
import { writeFileVariables } from "./file-variables.ts";
import type { StageExit } from "./job-container.ts";
import type { JobRun } from "./job-run.ts";

/** Between TERM and KILL for whatever a stopped script has running. */
export const killAfterSeconds = 10;
/** A stage that not even KILL ends within this time is left behind. */
const lingerMilliseconds = 5 * 60_000;

export type ScriptEnd =
  | { readonly kind: "exit"; readonly status: number }
  /** The stage's own time limit. */
  | { readonly kind: "timeout" }
  /** `signal` was raised. */
  | { readonly kind: "stopped" };

export interface UserScript {
  readonly kind: ScriptKind;
  readonly commands: readonly string[];
  readonly variables: JobVariables;
  readonly signal: AbortSignal;
  readonly timeoutMs: number | undefined;
}

/** What of a job a script needs. */
export type ScriptSite = Pick<
  JobRun,
  | "handOff"
  | "settings"
  | "job"
  | "featureFlags"
  | "projectDir"
  | "tempDir"
  | "container"
  | "trace"
  | "stops"
  | "debugTrace"
  | "now"
  | "sleep"
>;

export async function runUserScript(run: ScriptSite, script: UserScript): Promise<ScriptEnd> {
  const { settings, trace, container } = run;
  const { variables, signal } = script;
  await writeFileVariables(run.tempDir, variables.files(), run.handOff.executor !== "process");
  if (signal.aborted) return { kind: "stopped" };
  const program = stageScript({
    kind: script.kind,
    commands: script.commands,
    exports: variables.environment(),
    projectDir: script.kind === "pre_get_sources" ? undefined : run.projectDir,
    tempDir: run.tempDir,
    preBuildScript: settings.pre_build_script,
    postBuildScript: settings.post_build_script,
    shellTrace: run.debugTrace,
    featureFlags: run.featureFlags,
    traceSections: run.job.features.trace_sections,
    nowUnixSeconds: Math.floor(run.now() / 1000),
  });

  let end: ScriptEnd | undefined;
  const done = new AbortController();
  const stopping = new AbortController();
  const leftBehind = new Promise<StageExit>((resolve) => {
    stopping.signal.addEventListener("abort", () => {
      void run.sleep(lingerMilliseconds, done.signal).then(() => resolve({ kind: "gone" }));
    });
  });
  const stop = (why: ScriptEnd) => {
    if (end !== undefined || done.signal.aborted) return;
    end = why;
    // A job that GitLab has ended itself has no time left.
    container.cancel(run.stops.reason === "aborted" ? 0 : killAfterSeconds);
    stopping.abort();
  };
  const onStop = () => stop({ kind: "stopped" });
  signal.addEventListener("abort", onStop, { once: true });
  if (script.timeoutMs !== undefined) {
    void run.sleep(script.timeoutMs, done.signal).then(() => stop({ kind: "timeout" }));
  }
  try {
    const exit = await Promise.race([container.run(program), leftBehind]);
    if (exit.kind === "gone" && end === undefined) {
      throw new ContainerGone("the job's container went away while its script ran");
    }
    return end ?? (exit.kind === "exit" ? exit : { kind: "stopped" });
  } finally {
    done.abort();
    signal.removeEventListener("abort", onStop);
    trace.output.flush();
  }
}

/** What a script's end means for the job. */
export function outcomeOfEnd(
  run: Pick<JobRun, "stops" | "job">,
  end: ScriptEnd,
  timeoutMs: number | undefined,
): Outcome {
  switch (end.kind) {
    case "exit":
      return scriptOutcome(end.status);
    case "timeout":
      return { kind: "timed_out", limitMs: timeoutMs ?? 0 };
    case "stopped":
      return stoppedOutcome(run);
  }
}

/** The outcome of a job that was stopped, by its reason. */
export function stoppedOutcome(run: Pick<JobRun, "stops" | "job">): Outcome {
  switch (run.stops.reason) {
    case "timeout":
      return { kind: "timed_out", limitMs: run.job.runner_info.timeout * 1000 };
    case "interrupted":
      return {
        kind: "failed",
        reason: "runner_interrupted",
        message: "the runner was told to stop",
      };
    case "broken":
      return { kind: "failed", reason: "runner_system_failure", message: run.stops.trouble };
    case "lost":
      throw new ContainerGone("the job's container could not be started");
    case "canceled":
    case "aborted":
    case undefined:
      return canceled;
  }
}

// The life of a job, top to bottom: GitLab's stages in GitLab's order, and what still runs after which
// failure. Resolves to the outcome; the trace and the final update are deliver-job's affair.

import { RunnerError } from "../core/errors.ts";
import type { Step } from "../core/job.ts";
import { stagesAfter } from "../core/later-stages.ts";
import type { Ending } from "../core/later-stages.ts";
import { jobOutcome, jobStatus, scriptsOutcome, success } from "../core/outcome.ts";
import type { Outcome } from "../core/outcome.ts";
import { stepCommands } from "../core/script.ts";
import { scriptTimeouts } from "../core/script-timeouts.ts";
import { downloadStage, uploadStage } from "./artifact-stages.ts";
import { awaitContainer } from "./await-container.ts";
import { archiveStage, restoreStage } from "./cache-stages.ts";
import { ContainerGone } from "./container-gone.ts";
import { removeFileVariables, writeFileVariables } from "./file-variables.ts";
import { inSection } from "./job-run.ts";
import type { JobRun } from "./job-run.ts";
import { sourcesStage } from "./sources-stage.ts";
import { outcomeOfEnd, runUserScript, stoppedOutcome } from "./user-script.ts";

/** Runs every stage. Throws `ContainerGone` where only the launcher knows what happened. */
export async function runJob(run: JobRun): Promise<Outcome> {
  try {
    const { ending, outcome: upToScript } = await throughScripts(run);
    run.stops.enter("after");
    const later = stagesAfter(ending);
    const outcome = later.includes("after_script")
      ? await afterScript(run, upToScript)
      : upToScript;
    const succeeded = outcome.kind === "success";
    const keeps = later.includes("archive_cache") || later.includes("archive_cache_on_failure");
    const keep = async (stage: (run: JobRun, succeeded: boolean) => Promise<void>) =>
      keeps && !run.stops.all.aborted ? await outcomeOf(run, () => stage(run, succeeded)) : success;
    const cacheArchive = await keep(archiveStage);
    const artifactUpload = await keep(uploadStage);
    const whole = jobOutcome({ script: outcome, cacheArchive, artifactUpload });
    return run.stops.all.aborted && whole.kind === "success" ? stoppedOutcome(run) : whole;
  } finally {
    await cleanUp(run);
  }
}

/** Up to and including the user's scripts. */
async function throughScripts(
  run: JobRun,
): Promise<{ readonly ending: Ending; readonly outcome: Outcome }> {
  const parts: readonly [Ending, () => Promise<Outcome>][] = [
    ["prepare_failed", () => outcomeOf(run, () => prepare(run))],
    ["get_sources_failed", () => outcomeOf(run, () => sourcesStage(run))],
    ["restore_cache_failed", () => outcomeOf(run, () => restoreStage(run))],
    ["download_artifacts_failed", () => outcomeOf(run, () => downloadStage(run))],
    // Late, for its image may have been pulled meanwhile; it belongs to the preparations all the same.
    ["prepare_failed", () => outcomeOf(run, () => containerStage(run))],
    ["script_failed", () => outcomeOf(run, () => runSteps(run))],
  ];
  for (const [failed, part] of parts) {
    const outcome = await part();
    if (outcome.kind !== "success" || run.stops.all.aborted) {
      return { ending: endingOf(run, failed, outcome), outcome };
    }
  }
  return { ending: "script_succeeded", outcome: success };
}

function endingOf(run: JobRun, failed: Ending, outcome: Outcome): Ending {
  if (run.stops.all.aborted) {
    switch (run.stops.reason) {
      case "timeout":
        return failed === "get_sources_failed" ? "get_sources_timed_out" : "job_timed_out";
      case "interrupted":
      case "broken":
        return "interrupted";
      case "canceled":
        return "canceled_before_script";
      case "lost":
      case "aborted":
      case undefined:
        return "aborted";
    }
  }
  if (failed !== "script_failed") return failed;
  if (outcome.kind === "timed_out") return "script_timed_out";
  return outcome.kind === "canceled" ? "script_canceled" : "script_failed";
}

async function prepare(run: JobRun): Promise<void> {
  const { trace, handOff } = run;
  const title = `Preparing the "${handOff.executor}" executor`;
  await inSection(run, "prepare_executor", title, async () => {
    trace.log.line(`Using ${handOff.executor} executor...`);
    run.surroundings.open();
    // A process is there at once; a container may still have to be pulled while git fetches.
    if (handOff.executor === "process") await awaitContainer(run);
  });
  await inSection(run, "prepare_script", "Preparing environment", async () => {
    trace.log.line(`Running on ${run.hostname}...`);
    await writeFileVariables(run.tempDir, run.variables.files(), handOff.executor !== "process");
  });
}

async function containerStage(run: JobRun): Promise<void> {
  if (stepsOf(run).length > 0) await awaitContainer(run);
}

function stepsOf(run: JobRun): readonly Step[] {
  return run.job.steps.filter(({ name, script }) => name !== "after_script" && script.length > 0);
}

async function runSteps(run: JobRun): Promise<Outcome> {
  const steps = stepsOf(run);
  // From here on a script may have run: no other attempt of this job may begin.
  await run.fence();
  run.stops.enter("script");
  const timeouts = scriptTimeouts(run.variables, run.remainingMs());
  for (const warning of timeouts.warnings) run.trace.log.warning(warning);
  for (const step of steps) {
    const outcome = await runStep(run, step, timeouts.scriptMs);
    if (outcome.kind !== "success") return outcome;
  }
  return success;
}

async function runStep(run: JobRun, step: Step, timeoutMs: number | undefined): Promise<Outcome> {
  const name = step.name === "script" ? "step_script" : `step_${step.name}`;
  return await inSection(run, name, `Executing "${name}" stage of the job script`, async () => {
    const end = await runUserScript(run, {
      kind: "script",
      commands: stepCommands(step, run.variables),
      variables: run.variables,
      signal: run.stops.script,
      timeoutMs,
    });
    if (end.kind === "stopped" && run.stops.reason === "canceled") {
      run.trace.log.warning("script canceled externally (UI, API)");
    }
    return outcomeOfEnd(run, end, timeoutMs);
  });
}

/** Resolves to the outcome of both, which after_script changes only where it was asked to. */
async function afterScript(run: JobRun, script: Outcome): Promise<Outcome> {
  const step = run.job.steps.find(({ name }) => name === "after_script");
  if (step === undefined || step.script.length === 0) return script;
  const timeoutMs = scriptTimeouts(run.variables, run.remainingMs()).afterScriptMs;
  const variables = run.variables.with([{ key: "CI_JOB_STATUS", value: jobStatus(script) }]);
  const outcome = await outcomeOf(run, () =>
    inSection(run, "after_script", "Running after_script", async () => {
      const end = await runUserScript(run, {
        kind: "after_script",
        commands: step.script,
        variables,
        signal: run.stops.all,
        timeoutMs,
      });
      return outcomeOfEnd(run, end, timeoutMs);
    }),
  );
  const ignored = run.variables.bool("AFTER_SCRIPT_IGNORE_ERRORS", true).value;
  if (outcome.kind !== "success" && ignored) {
    if (outcome.kind === "failed" && outcome.exitCode === undefined) {
      run.trace.log.warning(`after_script could not be run: ${outcome.message}`);
    }
    run.trace.log.warning("after_script failed, but job will continue unaffected");
  }
  return scriptsOutcome(script, outcome, ignored);
}

async function cleanUp(run: JobRun): Promise<void> {
  const title = "Cleaning up project directory and file based variables";
  await inSection(run, "cleanup_file_variables", title, async () => {
    try {
      await removeFileVariables(run.tempDir);
    } catch (cause) {
      // A script may have made it so that it cannot be removed: its doing, and no reason to lose the job.
      run.trace.log.warning(`${run.tempDir} could not be removed: ${textOf(cause)}`);
    }
  });
}

/** Runs a stage, which may throw when it fails; one cut short ends as what cut it short. */
async function outcomeOf(run: JobRun, stage: () => Promise<Outcome | void>): Promise<Outcome> {
  try {
    const outcome = (await stage()) ?? success;
    if (outcome.kind !== "success") return outcome;
    return run.stops.all.aborted ? stoppedOutcome(run) : success;
  } catch (cause) {
    if (cause instanceof ContainerGone) throw cause;
    if (run.stops.all.aborted) return stoppedOutcome(run);
    if (cause instanceof RunnerError) {
      const { reason, message, exitCode } = cause;
      if (exitCode === undefined) return { kind: "failed", reason, message };
      return { kind: "failed", reason, message, exitCode };
    }
    return { kind: "failed", reason: "runner_system_failure", message: textOf(cause) };
  }
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

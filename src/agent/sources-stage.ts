// The get_sources stage: its section, its time limit, and the hooks around git.

import { RunnerError } from "../core/errors.ts";
import { formatDurationMs } from "../core/go-duration.ts";
import { raised } from "./await-container.ts";
import { sourcesEnvironment } from "./helper-environment.ts";
import { inSection } from "./job-run.ts";
import type { JobRun } from "./job-run.ts";
import { getSources } from "./sources/get-sources.ts";
import type { SourcesHook } from "./sources/get-sources.ts";
import { runUserScript } from "./user-script.ts";

export async function sourcesStage(run: JobRun): Promise<void> {
  const limitSeconds = run.settings.get_sources_timeout;
  const limit = new AbortController();
  const done = new AbortController();
  if (limitSeconds !== undefined && limitSeconds > 0) {
    void run.sleep(limitSeconds * 1000, done.signal).then(() => {
      if (!done.signal.aborted) limit.abort();
    });
  }
  const signal = AbortSignal.any([run.stops.all, limit.signal]);
  try {
    await inSection(run, "get_sources", "Getting source from Git repository", () =>
      fetch(run, signal),
    );
  } catch (cause) {
    if (!limit.signal.aborted) throw cause;
    run.stops.stop("timeout");
    throw new RunnerError(
      "job_execution_timeout",
      `getting the sources took longer than ${formatDurationMs((limitSeconds ?? 0) * 1000)}`,
      { cause },
    );
  } finally {
    done.abort();
  }
}

async function fetch(run: JobRun, signal: AbortSignal): Promise<void> {
  const { handOff, job, settings, variables } = run;
  await getSources({
    job,
    variables,
    projectDir: run.projectDir,
    tempDir: run.tempDir,
    buildsDir: handOff.folders.builds,
    settings: {
      cloneUrl: settings.clone_url,
      cleanGitConfig: settings.clean_git_config ?? handOff.executor !== "process",
      safeDirectoryCheckout: settings.safe_directory_checkout ?? true,
      preGetSourcesScript: settings.pre_get_sources_script,
      postGetSourcesScript: settings.post_get_sources_script,
    },
    environment: sourcesEnvironment(run),
    runHook: (name, script) => runHook(run, name, script, signal),
    userAgent: `gitlab-burst ${handOff.runner.version}`,
    log: run.trace.log,
    signal,
    sleep: run.sleep,
  });
}

async function runHook(
  run: JobRun,
  name: SourcesHook,
  script: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  // A container that never comes is no beginning.
  await Promise.race([run.container.state, raised(signal)]);
  await run.fence();
  const end = await runUserScript(run, {
    kind: name === "pre_get_sources_script" ? "pre_get_sources" : "post_get_sources",
    commands: script,
    variables: run.variables,
    signal,
    timeoutMs: undefined,
  });
  if (end.kind !== "exit" || end.status === 0) return;
  throw new RunnerError("script_failure", `exit code ${end.status}`, { exitCode: end.status });
}

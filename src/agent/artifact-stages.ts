// The stages around artifacts: those of earlier jobs come in, ours go out.

import { artifactDownloads, compressionLevel, planUploads } from "../core/artifacts.ts";
import { RunnerError } from "../core/errors.ts";
import { inSection } from "./job-run.ts";
import type { JobRun } from "./job-run.ts";

export async function downloadStage(run: JobRun): Promise<void> {
  const dependencies = artifactDownloads(run.job.dependencies);
  if (dependencies.length === 0) return;
  throw new RunnerError("runner_system_failure", "downloads are under construction");
}

export async function uploadStage(run: JobRun, succeeded: boolean): Promise<void> {
  const { uploads } = planUploads({
    artifacts: run.job.artifacts,
    scriptSucceeded: succeeded,
    variables: run.variables,
    projectDir: run.projectDir,
  });
  if (uploads.length === 0) return;
  compressionLevel(run.variables, "ARTIFACT_COMPRESSION_LEVEL");
  await inSection(run, "upload", "u", async () => undefined);
}

// The stages around artifacts: those of earlier jobs come in, ours go out.

import { artifactDownloads, artifactsToUpload, compressionLevel } from "../core/artifacts.ts";
import { RunnerError } from "../core/errors.ts";
import type { Dependency } from "../core/job.ts";
import { stageAttempts } from "../core/retry.ts";
import type { UploadReply } from "../gitlab/upload-artifact.ts";
import { downloadArtifacts } from "./download-artifacts.ts";
import type { DownloadOutcome } from "./download-artifacts.ts";
import { ownEnvironment } from "./helper-environment.ts";
import { inSection } from "./job-run.ts";
import type { JobRun } from "./job-run.ts";
import { listUntracked } from "./sources/untracked.ts";
import { uploadArtifacts } from "./upload-artifacts.ts";
import type { UploadOutcome, UploadRequest } from "./upload-artifacts.ts";

export async function downloadStage(run: JobRun): Promise<void> {
  const dependencies = artifactDownloads(run.job.dependencies);
  if (dependencies.length === 0) return;
  await inSection(run, "download_artifacts", "Downloading artifacts", () => {
    const attempts = stageAttempts(run.variables, "ARTIFACT_DOWNLOAD_ATTEMPTS");
    if (attempts.kind === "invalid") {
      run.trace.log.error(attempts.message);
      throw new RunnerError("script_failure", attempts.message, { exitCode: 1 });
    }
    return downloadArtifacts({
      dependencies,
      projectDir: run.projectDir,
      tempDir: run.handOff.folders.scratch,
      download: (dependency, receive) => download(run, dependency, receive),
      attempts: attempts.count,
      log: run.trace.log,
      signal: run.stops.all,
      sleep: run.sleep,
    });
  });
}

async function download(
  run: JobRun,
  dependency: Dependency,
  receive: (body: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<DownloadOutcome> {
  const reply = await run.gitlab.downloadArtifact({
    jobId: dependency.id,
    token: dependency.token,
    receive,
    directDownload: run.featureFlags.FF_USE_DIRECT_DOWNLOAD,
    onRetry: (message) => run.trace.log.warning(`${message}; trying again`),
    signal: run.stops.all,
  });
  switch (reply.kind) {
    case "downloaded":
      return { kind: "received" };
    case "unauthorized":
      return { kind: "refused", status: 401, message: reply.message };
    case "forbidden":
      return { kind: "refused", status: 403, message: reply.message };
    case "notFound":
      return { kind: "refused", status: 404, message: reply.message };
    case "failed":
      return { kind: "refused", status: reply.status, message: reply.message };
  }
}

/** `succeeded`: how the script ended, which decides what of the job is kept. */
export async function uploadStage(run: JobRun, succeeded: boolean): Promise<void> {
  const specs = artifactsToUpload(run.job.artifacts, succeeded);
  if (specs.length === 0) return;
  const [name, title] = succeeded
    ? ["upload_artifacts_on_success", "Uploading artifacts for successful job"]
    : ["upload_artifacts_on_failure", "Uploading artifacts for failed job"];
  const compression = compressionLevel(run.variables, "ARTIFACT_COMPRESSION_LEVEL");
  const uploaded = await inSection(run, name, title, () => {
    if (compression.warning !== undefined) run.trace.log.warning(compression.warning);
    return uploadArtifacts({
      job: run.job,
      specs,
      projectDir: run.projectDir,
      tempDir: run.handOff.folders.scratch,
      expand: (text) => run.variables.expand(text),
      compressionLevel: compression.level,
      untracked: () => untracked(run),
      upload: (request) => upload(run, request),
      log: run.trace.log,
      signal: run.stops.all,
      executor: run.handOff.executor,
      now: run.now,
    });
  });
  if (uploaded.kind === "failed") {
    throw new RunnerError("script_failure", uploaded.message, { exitCode: 1 });
  }
}

export async function untracked(run: JobRun): Promise<readonly string[]> {
  const listed = await listUntracked({
    projectDir: run.projectDir,
    environment: ownEnvironment(),
    signal: run.stops.all,
    sleep: run.sleep,
  });
  if (listed.kind === "listed") return listed.paths;
  run.trace.log.warning(listed.message);
  return [];
}

async function upload(run: JobRun, request: UploadRequest): Promise<UploadOutcome> {
  const { fileName, format, type, expireIn, body } = request;
  const reply = await run.gitlab.uploadArtifact({
    jobId: run.job.id,
    token: run.job.token,
    filename: fileName,
    content: body,
    expireIn,
    artifactFormat: format,
    artifactType: type,
    onRetry: (message) => run.trace.log.warning(`${message}; trying again`),
    signal: run.stops.all,
  });
  return outcomeOf(reply);
}

function outcomeOf(reply: UploadReply): UploadOutcome {
  switch (reply.kind) {
    case "uploaded":
      return { kind: "uploaded" };
    case "forbidden":
      return { kind: "refused", status: 403, message: reply.message };
    case "tooLarge":
      return { kind: "refused", status: 413, message: reply.message };
    case "unreadable":
      return { kind: "refused", message: reply.message };
    case "failed":
      return { kind: "refused", status: reply.status, message: reply.message };
  }
}

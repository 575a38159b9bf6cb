// Uploads what a job keeps: for every artifact chooses the files, packs them in our scratch (so that a retry sends the
// same bytes again) and hands them to GitLab's client. A failure fails the job; having nothing to upload does not.

import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { STATUS_CODES } from "node:http";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { artifactFileName } from "../core/artifacts.ts";
import type { ArtifactFormat, CompressionLevel } from "../core/artifacts.ts";
import { RunnerError } from "../core/errors.ts";
import type { JobLog } from "../core/job-log.ts";
import type { ArtifactSpec, Job } from "../core/job.ts";
import { deflateLevels } from "./archive/compression-levels.ts";
import { writeGzip } from "./archive/gzip-report.ts";
import { errorCode, errorText } from "./archive/open-file.ts";
import { provenanceStatement } from "./archive/provenance.ts";
import { openRaw } from "./archive/raw-report.ts";
import { selectFiles } from "./archive/select-files.ts";
import type { SelectedEntry } from "./archive/select-files.ts";
import { writeZip } from "./archive/zip-writer.ts";

export interface UploadRequest {
  readonly fileName: string;
  readonly format: string;
  readonly type: string;
  readonly expireIn: string;
  readonly sizeBytes: number;
  /** The file from its start; may be called again for a retry. */
  readonly body: () => Readable;
}

export type UploadOutcome =
  | { readonly kind: "uploaded" }
  | { readonly kind: "refused"; readonly status?: number | undefined; readonly message: string };

export interface UploadInput {
  readonly job: Job;
  /** Those to upload after how the job ended. */
  readonly specs: readonly ArtifactSpec[];
  readonly projectDir: string;
  /** The agent's own scratch, which the job does not write to. */
  readonly tempDir: string;
  readonly expand: (text: string) => string;
  readonly compressionLevel: CompressionLevel;
  /** `git ls-files -o`: paths relative to the project. */
  readonly untracked: () => Promise<readonly string[]>;
  readonly upload: (request: UploadRequest) => Promise<UploadOutcome>;
  readonly log: JobLog;
  readonly signal: AbortSignal;
  /** For the provenance statement. */
  readonly executor?: string;
  readonly now?: () => number;
}

export type UploadsOutcome =
  | { readonly kind: "ok" }
  | { readonly kind: "failed"; readonly message: string };

/** All of them are tried; the outcome is the first failure's. */
export async function uploadArtifacts(input: UploadInput): Promise<UploadsOutcome> {
  let outcome: UploadsOutcome = { kind: "ok" };
  for (const spec of input.specs) {
    if (spec.paths.length === 0 && !spec.untracked) continue;
    if (input.signal.aborted) return { kind: "failed", message: "the upload was interrupted" };
    const one = await tryOne(input, spec);
    if (outcome.kind === "ok") outcome = one;
  }
  return outcome;
}

async function tryOne(input: UploadInput, spec: ArtifactSpec): Promise<UploadsOutcome> {
  try {
    return await uploadOne(input, spec);
  } catch (error) {
    const message = input.signal.aborted ? "the upload was interrupted" : troubleText(error, input);
    input.log.error(message);
    return { kind: "failed", message };
  }
}

/** Full is only where we write: the project is read, and the job's own disk may be another. */
function troubleText(error: unknown, { tempDir }: UploadInput): string {
  const text = errorText(error);
  if (errorCode(error) !== "ENOSPC") return text;
  return `${text}: the disk of ${tempDir} is full, where artifacts are packed before they are sent`;
}

async function uploadOne(input: UploadInput, spec: ArtifactSpec): Promise<UploadsOutcome> {
  const { log, expand } = input;
  log.info("Uploading artifacts...");
  const entries = await selectFiles({
    projectDir: input.projectDir,
    paths: spec.paths.map(expand),
    exclude: spec.exclude.map(expand),
    untracked: spec.untracked ? await input.untracked() : undefined,
    log,
    signal: input.signal,
  });
  const format = formatOf(spec);
  const fileName = artifactFileName(spec.name, expand, format);
  const packed = entries.length > 0 ? await pack(input, entries, format, fileName) : undefined;
  if (packed === undefined) {
    log.error("No files to upload");
    return { kind: "ok" };
  }
  try {
    return await send(input, spec, {
      fileName,
      format: spec.artifact_format,
      type: spec.artifact_type,
      expireIn: expand(spec.expire_in),
      sizeBytes: packed.sizeBytes,
      body: packed.body,
    });
  } finally {
    await packed.close();
  }
}

async function send(
  input: UploadInput,
  spec: ArtifactSpec,
  request: UploadRequest,
): Promise<UploadsOutcome> {
  const { log, job } = input;
  const as = spec.artifact_type === "" ? "" : ` as "${spec.artifact_type}"`;
  const what = `Uploading artifacts${as} to coordinator...`;
  const outcome = await input.upload(request);
  if (outcome.kind === "uploaded") {
    log.line(`${what} 201 Created  id=${job.id}`);
    return { kind: "ok" };
  }
  const { status, message } = outcome;
  const answer = status === undefined ? "error" : `${status} ${STATUS_CODES[status] ?? ""}`.trim();
  log.error(`${what} ${answer}  id=${job.id}: ${message}`);
  const name = spec.artifact_type === "" ? request.fileName : spec.artifact_type;
  return { kind: "failed", message: `GitLab did not take the artifacts "${name}": ${message}` };
}

interface Packed {
  readonly sizeBytes: number;
  readonly body: () => Readable;
  readonly close: () => Promise<void>;
}

/** undefined: all that was chosen is gone, or is nothing that this format can hold. */
async function pack(
  input: UploadInput,
  entries: readonly SelectedEntry[],
  format: ArtifactFormat,
  fileName: string,
): Promise<Packed | undefined> {
  const { projectDir, log, signal } = input;
  if (format === "raw") return await openRaw(projectDir, entries);
  await mkdir(input.tempDir, { recursive: true });
  const file = join(input.tempDir, `artifacts-${randomUUID()}`);
  const close = async (): Promise<void> => await rm(file, { force: true });
  const body = (): Readable => createReadStream(file, { highWaterMark: 256 * 1024 });
  try {
    if (format === "gzip") {
      const report = await writeGzip({ projectDir, entries, file, log, signal });
      if (report.memberCount > 0) return { sizeBytes: report.sizeBytes, body, close };
      await close();
      return undefined;
    }
    const extras = await statement(input, entries, fileName);
    const level = deflateLevels[input.compressionLevel];
    const sizeBytes = await writeZip({ projectDir, entries, extras, level, file, log, signal });
    return { sizeBytes, body, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function formatOf(spec: ArtifactSpec): ArtifactFormat {
  const format = spec.artifact_format === "" ? "zip" : spec.artifact_format;
  if (format === "zip" || format === "gzip" || format === "raw") return format;
  const message = `artifacts in the format "${format}" cannot be made here; zip, gzip and raw can`;
  throw new RunnerError("script_failure", message, { exitCode: 1 });
}

async function statement(
  input: UploadInput,
  entries: readonly SelectedEntry[],
  fileName: string,
): Promise<{ name: string; content: Uint8Array; mtimeSeconds: number }[]> {
  const { job, projectDir, log, signal, expand } = input;
  if (!isTrue(expand("${RUNNER_GENERATE_ARTIFACTS_METADATA}"))) return [];
  log.line("Generating artifacts statement");
  const now = (input.now ?? Date.now)();
  const finishedOn = new Date(now).toISOString();
  const text = await provenanceStatement({
    job,
    projectDir,
    entries,
    signal,
    runner: {
      id: expand("${CI_RUNNER_ID}"),
      name: expand("${CI_RUNNER_DESCRIPTION}"),
      version: expand("${CI_RUNNER_VERSION}"),
      architecture: expand("${CI_RUNNER_EXECUTABLE_ARCH}"),
      executor: input.executor ?? "",
    },
    startedOn: expand("${CI_JOB_STARTED_AT}") || finishedOn,
    finishedOn,
  });
  const name = `${fileName.replace(/\.zip$/, "")}-metadata.json`;
  return [{ name, content: Buffer.from(text), mtimeSeconds: Math.floor(now / 1000) }];
}

function isTrue(text: string): boolean {
  return ["1", "t", "T", "TRUE", "true", "True"].includes(text);
}

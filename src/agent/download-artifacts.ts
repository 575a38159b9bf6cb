// Fetches the artifacts of earlier jobs and unpacks them into the project, one dependency after the other.
// The archive lands in our scratch first: a zip's directory is at its end.

import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { STATUS_CODES } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { RunnerError } from "../core/errors.ts";
import type { JobLog } from "../core/job-log.ts";
import type { Dependency } from "../core/job.ts";
import { backoffMs, stageBackoff } from "../core/retry.ts";
import { sniffFormat } from "./archive/archive-format.ts";
import { errorText } from "./archive/open-file.ts";
import { extractZip } from "./archive/zip-reader.ts";

export type DownloadOutcome =
  /** All of it went through `receive`. */
  | { readonly kind: "received" }
  | { readonly kind: "refused"; readonly status: number | undefined; readonly message: string };

export interface DownloadInput {
  readonly dependencies: readonly Dependency[];
  readonly projectDir: string;
  /** The agent's own scratch, which the job does not write to. */
  readonly tempDir: string;
  /** Feeds `receive` with the archive; a retry calls it again, and it begins anew. */
  readonly download: (
    dependency: Dependency,
    receive: (body: AsyncIterable<Uint8Array>) => Promise<void>,
  ) => Promise<DownloadOutcome>;
  /** ARTIFACT_DOWNLOAD_ATTEMPTS, of all of them together. */
  readonly attempts: number;
  readonly log: JobLog;
  readonly signal: AbortSignal;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

export async function downloadArtifacts(input: DownloadInput): Promise<void> {
  const { attempts, signal } = input;
  for (let attempt = 1; ; attempt++) {
    try {
      return await downloadAll(input);
    } catch (error) {
      if (signal.aborted || attempt >= attempts) throw error;
      await input.sleep(backoffMs(stageBackoff, attempt, 0), signal);
      signal.throwIfAborted();
      input.log.warning(`Retrying to download artifacts (attempt ${attempt + 1}/${attempts})...`);
    }
  }
}

async function downloadAll(input: DownloadInput): Promise<void> {
  for (const dependency of input.dependencies) {
    if ((dependency.artifacts_file?.filename ?? "") === "") continue;
    input.signal.throwIfAborted();
    input.log.info(`Downloading artifacts for ${dependency.name} (${dependency.id})...`);
    const complaint = await downloadOne(input, dependency).catch(
      (error) => `artifacts of ${dependency.name} (${dependency.id}): ${errorText(error)}`,
    );
    if (complaint === undefined) continue;
    input.signal.throwIfAborted();
    input.log.error(complaint);
    throw new RunnerError("script_failure", complaint, { exitCode: 1 });
  }
}

/** Resolves to what GitLab said instead, if it did not give them. */
async function downloadOne(
  input: DownloadInput,
  dependency: Dependency,
): Promise<string | undefined> {
  const { log, signal, projectDir } = input;
  await mkdir(input.tempDir, { recursive: true });
  const file = join(input.tempDir, `artifacts-${randomUUID()}`);
  const receive = async (body: AsyncIterable<Uint8Array>): Promise<void> => {
    await pipeline(body, createWriteStream(file, { mode: 0o600 }), { signal });
  };
  try {
    const outcome = await input.download(dependency, receive);
    const what = "Downloading artifacts from coordinator...";
    if (outcome.kind === "refused") {
      const { status, message } = outcome;
      const answer = status === undefined ? "error" : `${status} ${STATUS_CODES[status] ?? ""}`;
      return `${what} ${answer.trim().toLowerCase()}  id=${dependency.id}: ${message}`;
    }
    log.line(`${what} ok  id=${dependency.id}`);
    await unpack(file, { projectDir, log, signal });
    return undefined;
  } finally {
    await rm(file, { force: true });
  }
}

async function unpack(
  file: string,
  order: Pick<DownloadInput, "projectDir" | "log" | "signal">,
): Promise<void> {
  const handle = await open(file, "r");
  const start = Buffer.alloc(4);
  try {
    await handle.read(start, 0, start.length, 0);
  } finally {
    await handle.close();
  }
  const format = sniffFormat(start);
  if (format !== "zip") {
    const message = `the archive is ${format}, for which there is no extractor; zip is unpacked`;
    throw new RunnerError("script_failure", message, { exitCode: 1 });
  }
  await extractZip({ ...order, file });
}

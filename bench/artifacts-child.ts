// One packing and uploading, or one unpacking, by the agent's own parts in a process of its own. Tells the
// milliseconds of the work alone.

import { extractZip } from "../src/agent/archive/zip-reader.ts";
import { uploadArtifacts } from "../src/agent/upload-artifacts.ts";
import type { CompressionLevel } from "../src/core/artifacts.ts";
import type { JobLog } from "../src/core/job-log.ts";
import { parseJob } from "../src/core/job.ts";
import { childTask, tellResult } from "./measured-child.ts";
import { timed } from "./rounds.ts";
import { post } from "./upload-server.ts";

export type ArtifactTask =
  | {
      readonly kind: "pack";
      readonly project: string;
      readonly scratch: string;
      readonly level: CompressionLevel;
      /** Where to. */
      readonly upload: string;
    }
  | { readonly kind: "unpack"; readonly zip: string; readonly into: string };

const log: JobLog = {
  line: () => undefined,
  info: () => undefined,
  warning: (text) => console.error(text),
  error: (text) => console.error(text),
  output: () => undefined,
};
const { signal } = new AbortController();

async function pack(task: Extract<ArtifactTask, { kind: "pack" }>): Promise<void> {
  const artifact = { artifact_type: "archive", artifact_format: "zip", paths: ["out"] };
  const parsed = parseJob({ id: 1, token: "t", artifacts: [artifact] });
  if (parsed.kind === "invalid") throw new Error(parsed.message);
  const outcome = await uploadArtifacts({
    job: parsed.job,
    specs: parsed.job.artifacts,
    projectDir: task.project,
    tempDir: task.scratch,
    expand: (text) => (text.includes("$") ? "" : text),
    compressionLevel: task.level,
    untracked: () => Promise.resolve([]),
    upload: async ({ body }) => {
      await post(task.upload, body());
      return { kind: "uploaded" };
    },
    log,
    signal,
  });
  if (outcome.kind === "failed") throw new Error(outcome.message);
}

const task = childTask() as ArtifactTask;
tellResult(
  await timed(() =>
    task.kind === "pack"
      ? pack(task)
      : extractZip({ file: task.zip, projectDir: task.into, log, signal }),
  ),
);

// What the tests of archives share: a directory that is gone afterwards, a log that remembers, a zip read back.

import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import * as yauzl from "yauzl";
import { selectFiles } from "../../../src/agent/archive/select-files.ts";
import type { SelectedEntry } from "../../../src/agent/archive/select-files.ts";
import type { JobLog } from "../../../src/core/job-log.ts";

export const never = new AbortController().signal;

export async function scratch(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "burst-archive-"));
  onTestFinished(async () => await rm(path, { recursive: true, force: true }));
  return path;
}

/** `{ "a/b": "text", "link": { to: "a/b" }, "empty/": "" }` */
export async function plant(
  root: string,
  files: Readonly<Record<string, string | Uint8Array | { readonly to: string }>>,
): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    await mkdir(name.endsWith("/") ? path : dirname(path), { recursive: true });
    if (name.endsWith("/")) continue;
    if (typeof content === "string" || content instanceof Uint8Array)
      await writeFile(path, content);
    else await symlink(content.to, path);
  }
}

export interface RecordingLog extends JobLog {
  /** `info: …`, `WARNING: …`, in order. */
  readonly lines: string[];
}

export function recordingLog(): RecordingLog {
  const lines: string[] = [];
  return {
    lines,
    line: (text) => lines.push(text),
    info: (text) => lines.push(`info: ${text}`),
    warning: (text) => lines.push(`WARNING: ${text}`),
    error: (text) => lines.push(`ERROR: ${text}`),
    output: () => undefined,
  };
}

export interface ReadMember {
  readonly mode: number;
  readonly mtimeSeconds: number;
  readonly method: number;
  readonly content: Buffer;
}

export async function readZip(file: string): Promise<Map<string, ReadMember>> {
  const zip = await yauzl.openPromise(file);
  const members = new Map<string, ReadMember>();
  for await (const entry of zip.eachEntry()) {
    members.set(entry.fileName, {
      mode: entry.externalFileAttributes >>> 16,
      mtimeSeconds: entry.getLastModDate({ timezone: "UTC" }).getTime() / 1000,
      method: entry.compressionMethod,
      content: await buffer(await zip.openReadStreamPromise(entry)),
    });
  }
  return members;
}

/** All that is in a directory, as an archive would hold it. */
export async function chosen(projectDir: string): Promise<readonly SelectedEntry[]> {
  const log = recordingLog();
  const wanted = { projectDir, paths: ["**"], exclude: [], untracked: undefined, log };
  return await selectFiles({ ...wanted, signal: never });
}

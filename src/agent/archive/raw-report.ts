// A raw report: one file as it is, straight from the project. It stays open, so that a retry sends the same file.

import * as fs from "node:fs";
import { Readable } from "node:stream";
import * as zlib from "node:zlib";
import { RunnerError } from "../../core/errors.ts";
import { openProjectFile } from "./open-file.ts";
import { projectTree } from "./project-tree.ts";
import type { SelectedEntry } from "./select-files.ts";

export interface RawReport {
  readonly sizeBytes: number;
  /** From the start, each time. */
  body(): Readable;
  close(): Promise<void>;
}

export async function openRaw(
  projectDir: string,
  entries: readonly SelectedEntry[],
): Promise<RawReport> {
  const files = entries.filter(({ kind }) => kind !== "directory");
  const file = files[0];
  if (file === undefined || files.length > 1) throw refusal("only one file can be sent as raw");
  if (file.kind === "symlink")
    throw refusal(`${file.name} is a link; only a file can be sent as raw`);
  const tree = projectTree({ fs, zlib }, projectDir);
  try {
    const opened = await openProjectFile(tree, file.path);
    if (opened.kind === "gone") throw refusal(`${file.name}: ${opened.why}`);
    const { handle, stat } = opened;
    return {
      sizeBytes: stat.size,
      body: () =>
        stat.size === 0
          ? Readable.from([])
          : handle.createReadStream({ start: 0, end: stat.size - 1, autoClose: false }),
      close: () => handle.close(),
    };
  } finally {
    tree.close();
  }
}

function refusal(message: string): RunnerError {
  return new RunnerError("script_failure", message, { exitCode: 1 });
}

// Variables of type file: their values as files in the project's temporary folder, and that folder's end.

import { constants } from "node:fs";
import { chmod, mkdir, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { kindOf } from "./sources/clean-repository.ts";

export interface FileVariable {
  readonly path: string;
  readonly content: string;
}

const { O_CREAT, O_TRUNC, O_WRONLY, O_NOFOLLOW } = constants;

/**
 * Writes them afresh, byte for byte: a script may have changed or removed them. `shared` lets every
 * user in the job's containers read them; on a machine of others' only our own user may.
 */
export async function writeFileVariables(
  folder: string,
  files: readonly FileVariable[],
  shared: boolean,
): Promise<void> {
  // Its parents are the projects', which other users of the job's containers pass through.
  await mkdir(dirname(folder), { recursive: true });
  await removeOther(folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, shared ? 0o777 : 0o700);
  for (const { path, content } of files) {
    if (dirname(path) !== folder) await mkdir(dirname(path), { recursive: true });
    // A link left there by a script is removed, not written through.
    await rm(path, { recursive: true, force: true });
    const file = await open(path, O_CREAT | O_TRUNC | O_WRONLY | O_NOFOLLOW, 0o600);
    try {
      await file.writeFile(content);
      await file.chmod(shared ? 0o666 : 0o600);
    } finally {
      await file.close();
    }
  }
}

/** What a script has put in the folder's place: a link would lead the files elsewhere. */
async function removeOther(folder: string): Promise<void> {
  if ((await kindOf(folder)) !== "folder") await rm(folder, { force: true });
}

export async function removeFileVariables(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

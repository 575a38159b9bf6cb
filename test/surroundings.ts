// Once for the whole unit suite, before its workers start: what they and the processes they start inherit.

import { accessSync, chmodSync, constants, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Of f_type, for tmpfs. */
const tmpfs = 0x01021994;
const roomBytes = 4 * 1024 ** 3;

export function setup(): (() => void) | undefined {
  // With it every Node reads all the world's certificates when it starts; the tests start hundreds, and bring
  // certificates of their own.
  delete process.env["NODE_EXTRA_CA_CERTS"];
  // Hook samples in every repository that a test makes: nobody wants them.
  process.env["GIT_TEMPLATE_DIR"] = "";
  return inMemory();
}

/** Tens of thousands of small files come and go: a disk's file system spends a tenth of the suite's time on them. */
function inMemory(): (() => void) | undefined {
  const folder = folderInMemory("/dev/shm");
  if (folder === undefined) return undefined;
  process.env["TMPDIR"] = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** None where there is little room, or programs may not be run from it. */
function folderInMemory(parent: string): string | undefined {
  try {
    accessSync(parent, constants.W_OK);
    const { type, bavail, bsize } = statfsSync(parent);
    if (type !== tmpfs || bavail * bsize < roomBytes) return undefined;
    const folder = mkdtempSync(join(parent, "burst-unit-"));
    // As open as /tmp: some tests act as other users.
    chmodSync(folder, 0o1777);
    const program = join(folder, "program");
    writeFileSync(program, "#!/bin/sh\n", { mode: 0o755 });
    execFileSync(program);
    return folder;
  } catch {
    return undefined;
  }
}

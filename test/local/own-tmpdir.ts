// A folder for temporary files that no other test's runner looks into: they sweep up what seems abandoned.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** Is $TMPDIR for the rest of this test file. */
export function ownTmpdir(): string {
  const before = process.env["TMPDIR"];
  const folder = mkdtempSync(join(tmpdir(), "burst-own-"));
  process.env["TMPDIR"] = folder;
  afterAll(() => {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

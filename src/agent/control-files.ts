// The three FIFOs between the agent and boot. Made here, opened before boot can see them.
// The folder belongs to the job as much as to the agent, so nothing is followed or trusted.

import { execFile } from "node:child_process";
import { constants, openSync } from "node:fs";
import { chmod, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** File descriptors of the agent's ends. Whoever takes them closes them. */
export interface ControlFiles {
  readonly cmd: number;
  readonly out: number;
  readonly events: number;
}

const { O_RDWR, O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants;

/**
 * Makes `cmd`, `out` and `events` in `folder`. `cmd` gets its name last: boot waits for it, and
 * by then all three have a reader. `cmd` and `out` are opened for both ends, so that nobody ever
 * blocks on us; `events` for reading only, so that its end shows when boot is gone.
 */
export async function makeControlFiles(folder: string): Promise<ControlFiles> {
  await mkdir(folder, { recursive: true });
  const [early, cmd, out, events] = [".cmd", "cmd", "out", "events"].map((n) =>
    join(folder, n),
  ) as [string, string, string, string];
  await Promise.all([early, cmd, out, events].map((path) => rm(path, { force: true })));
  await promisify(execFile)("mkfifo", [early, out, events]);
  // The job may run as any uid; the umask has no say here.
  await Promise.all([early, out, events].map((path) => chmod(path, 0o666)));
  const ends = {
    cmd: openSync(early, O_RDWR | O_NONBLOCK | O_NOFOLLOW),
    out: openSync(out, O_RDWR | O_NONBLOCK | O_NOFOLLOW),
    events: openSync(events, O_RDONLY | O_NONBLOCK | O_NOFOLLOW),
  };
  await rename(early, cmd);
  return ends;
}

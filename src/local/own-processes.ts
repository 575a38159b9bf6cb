// Which processes of this machine are a job's: those in the group we made for it, and those that carry
// its cookie in their environment. Nobody else's is ever signalled.

import { readdir, readFile } from "node:fs/promises";

/** Process ids whose environment holds `BURST_COOKIE=<cookie>`; empty where there is no /proc. */
export async function carriers(cookie: string): Promise<readonly number[]> {
  const wanted = `BURST_COOKIE=${cookie}`;
  const entries = await readdir("/proc").catch((): string[] => []);
  const found = await Promise.all(
    entries
      .filter((entry) => /^\d+$/.test(entry))
      .map(async (entry) => {
        // A process may end, or be another user's, between the listing and the reading.
        const environment = await readFile(`/proc/${entry}/environ`, "latin1").catch(() => "");
        return environment.split("\0").includes(wanted) ? [Number(entry)] : [];
      }),
  );
  return found.flat();
}

/** KILL to the group of `leader` and to all that carry the cookie, until none is left. */
export async function killOwn(leader: number, cookie: string): Promise<void> {
  for (let round = 0; round < 50; round++) {
    const group = signal(-leader, "SIGKILL");
    const strays = await carriers(cookie);
    for (const pid of strays) signal(pid, "SIGKILL");
    if (!group && strays.length === 0) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    // ESRCH: gone, which is what was wanted.
    return false;
  }
}

// Which processes of this machine are a job's: those in the groups we made for it, and those that carry
// one of its cookies in their environment. Nobody else's is ever signalled.

import { readdir, readFile } from "node:fs/promises";

/** Of the job's own processes; boot looks for it too. */
export const jobCookie = "BURST_COOKIE";
/** Of the agent and what it starts. */
export const agentCookie = "BURST_AGENT_COOKIE";

/** Process ids whose environment holds one of the cookies; empty where there is no /proc. */
export async function carriers(...cookies: readonly string[]): Promise<readonly number[]> {
  const wanted = new Set(
    cookies.flatMap((value) => [`${jobCookie}=${value}`, `${agentCookie}=${value}`]),
  );
  const found = await readProcesses("environ");
  return found
    .filter(({ text }) => text.split("\0").some((entry) => wanted.has(entry)))
    .map(({ pid }) => pid);
}

/** One file of every process. */
async function readProcesses(file: "environ" | "stat") {
  const entries = await readdir("/proc").catch((): string[] => []);
  return await Promise.all(
    entries
      .filter((entry) => /^\d+$/.test(entry))
      .map(async (entry) => {
        // A process may end, or be another user's, between the listing and the reading.
        const text = await readFile(`/proc/${entry}/${file}`, "latin1").catch(() => "");
        return { pid: Number(entry), text };
      }),
  );
}

/**
 * KILL to the groups and to all that carry a cookie, until none is left. A group's leader must not have been
 * waited for yet: later its number may be another's.
 */
export async function killOwn(
  leaders: readonly number[],
  cookies: readonly string[],
): Promise<void> {
  for (let round = 0; round < 50; round++) {
    const groups = leaders.filter(killGroup);
    const strays = await carriers(...cookies);
    for (const pid of strays) signal(pid, "SIGKILL");
    if (strays.length === 0 && !(await anyRuns(groups))) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

/**
 * Whether somebody in these groups still runs. The dead whom nobody has taken note of do not: in a container
 * without an init process they stay for ever.
 */
async function anyRuns(groups: readonly number[]): Promise<boolean> {
  if (groups.length === 0) return false;
  const seen = (await readProcesses("stat")).filter(({ text }) => text !== "");
  if (seen.length === 0) return true;
  return seen.some(({ text }) => {
    // Behind the name, which may hold anything: state, parent, group.
    const [state = "", , group] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return groups.includes(Number(group)) && !"ZX".includes(state);
  });
}

/** Whether there was somebody in it. */
export function killGroup(leader: number): boolean {
  return signal(-leader, "SIGKILL");
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

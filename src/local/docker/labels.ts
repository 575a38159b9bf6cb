// The labels that mark what is ours in an engine, and tell who owns it: the runner process, by machine, id and
// the time it began.

import { readFile } from "node:fs/promises";
import { hostname } from "node:os";

export const ownerLabel = "com.gitlab-burst.owner";
export const jobLabel = "com.gitlab-burst.job";

/** This process, so that no later process with the same id is taken for it. */
export async function thisOwner(): Promise<string> {
  return `${hostname()}/${await processName(process.pid)}`;
}

/** Whether the owner still runs; owners of other machines are taken to. */
export async function isLiving(owner: string): Promise<boolean> {
  const slash = owner.lastIndexOf("/");
  if (owner.slice(0, slash) !== hostname()) return true;
  const name = owner.slice(slash + 1);
  const pid = Number(name.split("@")[0]);
  return (await processName(pid)) === name;
}

async function processName(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  return `${pid}@${started ?? (isAlive(pid) ? "alive" : "gone")}`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

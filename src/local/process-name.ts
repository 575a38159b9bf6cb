// Names processes so that a later process with the same id is not taken for them.

import { readFile } from "node:fs/promises";

/** The id with the time at which its process began, where /proc tells. */
export async function processName(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // A dead process keeps its id for as long as nobody asks how it ended.
  if (fields[0] === "Z" || fields[0] === "X") return `${pid}@gone`;
  const started = fields[19];
  if (started !== undefined) return `${pid}@${started}`;
  return `${pid}@${isAlive(pid) ? "alive" : "gone"}`;
}

export async function stillRuns(name: string): Promise<boolean> {
  const pid = Number(name.split("@")[0]);
  return isAlive(pid) && (await processName(pid)) === name;
}

export async function anyRuns(names: readonly string[]): Promise<boolean> {
  return (await Promise.all(names.map(stillRuns))).includes(true);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    // Somebody else's is alive too.
    return cause instanceof Error && "code" in cause && cause.code === "EPERM";
  }
}

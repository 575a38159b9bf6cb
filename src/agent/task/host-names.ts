// Names of services, and whatever else the job wants to call by name. Every container of a task has an /etc/hosts of its
// own: the agent writes its own, and leaves the lines where boot finds them.

import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TaskHandOff } from "../../core/hand-off.ts";

/** Lines for a file of hosts. All containers of a task share one network. */
export function hostLines(task: Pick<TaskHandOff, "services" | "hosts">): readonly string[] {
  const services = task.services.map(({ hostnames }) => ["127.0.0.1", ...hostnames.filter(isName)]);
  const others = task.hosts
    .filter(({ name, address }) => isName(name) && /^[\da-fA-F.:]+$/.test(address))
    .map(({ name, address }) => [address, name]);
  return [...services, ...others].filter(({ length }) => length > 1).map((line) => line.join(" "));
}

/** Throws where our own cannot be written: it is root's, and so are we. */
export async function writeHosts(
  lines: readonly string[],
  place: { readonly control: string; readonly hostsFile: string },
): Promise<void> {
  if (lines.length === 0) return;
  const text = lines.map((line) => `${line}\n`).join("");
  await mkdir(place.control, { recursive: true });
  await writeFile(join(place.control, "hosts"), text, { flag: "wx", mode: 0o644 });
  await appendFile(place.hostsFile, text);
}

function isName(text: string): boolean {
  return /^[\w.-]+$/.test(text);
}

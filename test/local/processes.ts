// A process that has ended, and one that runs until the test is over.

import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess, SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { onTestFinished } from "vitest";

export function endedProcess(): number {
  return spawnSync("true").pid;
}

/** Its environment is `environment` and nothing else. */
export async function sleeper(
  environment: Readonly<Record<string, string>> = {},
  options: SpawnOptions = {},
): Promise<{ readonly pid: number; readonly child: ChildProcess }> {
  const child = spawn("/bin/sleep", ["300"], { env: environment, stdio: "ignore", ...options });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "spawn");
  return { pid: child.pid ?? 0, child };
}

/** Whether it does anything still: not so once it only waits for its parent to take note of its end. */
export function isRunning(pid: number): boolean {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, "utf8") !== "";
  } catch {
    return false;
  }
}

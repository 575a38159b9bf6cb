// A process of its own for one measurement, so that its peak memory is its own: it sends what it found, and its
// peak, over Node's IPC channel.

import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { builtProgram } from "./built.ts";

export interface ChildResult<Result> {
  readonly result: Result;
  /** Bytes. */
  readonly memory: number;
}

/** Runs a program of this folder. What it sends is what `tellResult` was given there. */
export async function runChild<Result>(file: string, task: unknown): Promise<ChildResult<Result>> {
  const program = await builtProgram(file);
  return await new Promise((resolve, reject) => {
    const child = fork(program, [JSON.stringify(task)], { execArgv: [] });
    let told: ChildResult<Result> | undefined;
    child.on("message", (message) => {
      told = message as ChildResult<Result>;
    });
    child.on("error", reject);
    child.on("close", (status) => {
      if (told !== undefined && status === 0) resolve(told);
      else reject(new Error(`${file} ended with status ${status}`));
    });
  });
}

/** In the child: what `runChild` was given. */
export function childTask(): unknown {
  return JSON.parse(process.argv[2] ?? "null");
}

export function tellResult(result: unknown): void {
  process.send?.({ result, memory: peakMemory() });
  process.disconnect();
}

/** What getrusage counts includes the parent that we were forked from. */
function peakMemory(): number {
  const [, kibibytes] = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(kibibytes ?? 0) * 1024;
}

// Every process of this machine that descends from one test: they all inherit a mark in their environment,
// which is not the runner's own cookie, so that what the runner forgets is seen.

import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";

export interface SeenProcess {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

const variable = "FAULT_TEST_MARK";

export interface ProcessMark {
  /** For the environment of the first process. */
  readonly environment: Readonly<Record<string, string>>;
  /** Those that live now; a zombie does not count. */
  seen(): readonly SeenProcess[];
  /** Ends them all, by their ids. */
  killAll(): Promise<void>;
}

export function newMark(): ProcessMark {
  const value = randomBytes(12).toString("hex");
  const seen = () =>
    readdirSync("/proc")
      .filter((entry) => /^\d+$/.test(entry))
      .flatMap((entry) => look(Number(entry), `${variable}=${value}`));
  return {
    environment: { [variable]: value },
    seen,
    async killAll() {
      for (let round = 0; round < 100; round++) {
        const left = seen();
        if (left.length === 0) return;
        for (const { pid } of left) kill(pid, "SIGKILL");
        await pause(20);
      }
    },
  };
}

function look(pid: number, marked: string): readonly SeenProcess[] {
  try {
    if (!readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(marked)) return [];
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim();
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? [] : [{ pid, parent: Number(parent), command }];
  } catch {
    // It ended while we looked.
    return [];
  }
}

/** Whether there was such a process to signal. */
export function kill(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

/** Looks every few milliseconds until there is something to see. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  patienceMs = 60_000,
): Promise<T> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`waited ${patienceMs} ms in vain for ${what}`);
    await pause(10);
  }
}

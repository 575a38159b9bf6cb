// The peak memory of a runner and of its agents, as the kernel counts it (VmHWM), looked at while they live.

import { readdirSync, readFileSync } from "node:fs";

export interface MemoryWatch {
  /** Bytes, so far. */
  readonly runner: number;
  /** The largest agent. */
  readonly agent: number;
  /** Runner and agents together, at one moment; Node's own pages, which they share, count once. */
  readonly together: number;
  stop(): void;
}

const pauseMilliseconds = 40;

export function watchMemory(runner: number): MemoryWatch {
  const peaks = { runner: 0, agent: 0, together: 0 };
  const look = () => {
    const own = memoryOf(runner);
    peaks.runner = Math.max(peaks.runner, own.peak);
    let { anonymous, file } = own;
    for (const child of childrenOf(runner)) {
      if (!isAgent(child)) continue;
      const memory = memoryOf(child);
      peaks.agent = Math.max(peaks.agent, memory.peak);
      anonymous += memory.anonymous;
      file = Math.max(file, memory.file);
    }
    peaks.together = Math.max(peaks.together, anonymous + file);
  };
  const timer = setInterval(look, pauseMilliseconds);
  return {
    get runner() {
      return peaks.runner;
    },
    get agent() {
      return peaks.agent;
    },
    get together() {
      return peaks.together;
    },
    stop: () => clearInterval(timer),
  };
}

interface Memory {
  readonly peak: number;
  readonly anonymous: number;
  readonly file: number;
}

function memoryOf(pid: number): Memory {
  const status = read(`/proc/${pid}/status`);
  const field = (name: string) =>
    Number(new RegExp(`^${name}:\\s*(\\d+) kB`, "m").exec(status)?.[1] ?? 0) * 1024;
  return { peak: field("VmHWM"), anonymous: field("RssAnon"), file: field("RssFile") };
}

function childrenOf(pid: number): readonly number[] {
  let threads: readonly string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  return threads.flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean).map(Number),
  );
}

/** The other children are shells. */
function isAgent(pid: number): boolean {
  return /(^|\/)(main\.[jt]s|agent\.mjs)$/.test(
    read(`/proc/${pid}/cmdline`).replace(/\0+$/, "").split("\0").at(-1) ?? "",
  );
}

/** Empty where the process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

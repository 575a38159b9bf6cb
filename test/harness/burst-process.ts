// `burst run` as a process of its own, in a folder of its own, with every trace of it in sight: what it
// prints, which processes descend from it, what it leaves on disk.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kill, newMark, until } from "./processes.ts";
import type { SeenProcess } from "./processes.ts";

export interface BurstOptions {
  readonly url: string;
  readonly token: string;
  /** Its working directory: one may be used by several, one after the other. */
  readonly home: string;
  readonly arguments?: readonly string[];
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Modules that runner and agents load first. */
  readonly preload?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Instead of `$TMPDIR` below home. */
  readonly scratch?: string;
  /** Put before the command, such as ["sh", "-c", 'ulimit -f 100; exec "$@"', "sh"]. */
  readonly prefix?: readonly string[];
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface BurstProcess {
  readonly pid: number;
  /** The lines of stdout so far, and all of stderr. */
  lines(): readonly string[];
  stderr(): string;
  /** Waits for a line of stdout. */
  line(pattern: RegExp, patienceMs?: number): Promise<string>;
  /** Everything that descends from it and still lives, itself included. */
  processes(): readonly SeenProcess[];
  agent(): SeenProcess | undefined;
  /** Files and folders of jobs that are there now: scratch folders, and `.tmp` beside projects. */
  remains(): readonly string[];
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
  /** Ends whatever is left of it. */
  close(): Promise<void>;
}

/** `built`: the folder that `builtSources` gives. */
export function startBurst(built: string, options: BurstOptions): BurstProcess {
  const { home } = options;
  const scratch = options.scratch ?? join(home, "scratch");
  mkdirSync(scratch, { recursive: true });
  const settings = join(home, "settings.json");
  writeFileSync(settings, JSON.stringify({ check_interval: 0, ...options.settings }));
  const mark = newMark();
  const argv = [
    ...(options.prefix ?? []),
    process.execPath,
    ...(options.preload ?? []).flatMap((module) => ["--import", module]),
    join(built, "cli", "main.js"),
    "run",
    "--url",
    options.url,
    "--token",
    options.token,
    "--settings",
    settings,
    ...(options.arguments ?? []),
  ];
  const child = spawn(argv[0]!, argv.slice(1), {
    cwd: home,
    env: {
      PATH: process.env["PATH"],
      HOME: home,
      TMPDIR: scratch,
      ...mark.environment,
      ...options.environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err] = [collect(child.stdout), collect(child.stderr)];
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal }));
  });
  const lines = () => out().split("\n").slice(0, -1);
  return {
    pid: child.pid!,
    lines,
    stderr: err,
    async line(pattern, patienceMs) {
      const find = () => lines().find((line) => pattern.test(line));
      try {
        return await until(`a line like ${pattern}`, find, patienceMs);
      } catch (cause) {
        const left = mark.seen().map(({ pid, command }) => `${pid} ${command.slice(0, 100)}`);
        const told = [`${String(cause)}; stdout:`, ...lines(), "stderr:", err(), "alive:", ...left];
        throw new Error(told.join("\n"), { cause });
      }
    },
    processes: mark.seen,
    agent: () => mark.seen().find(({ command }) => command.endsWith("/agent/main.js")),
    remains: () => [...scratchFolders(scratch), ...besideProjects(join(home, ".burst", "builds"))],
    kill: (signal) => void kill(child.pid!, signal),
    ended,
    async close() {
      await mark.killAll();
      await ended;
    },
  };
}

function scratchFolders(scratch: string): readonly string[] {
  return readdirSync(scratch)
    .filter((name) => name.startsWith("burst-"))
    .map((name) => join(scratch, name));
}

function besideProjects(builds: string): readonly string[] {
  if (!existsSync(builds)) return [];
  return readdirSync(builds, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".tmp"))
    .map((path) => join(builds, path));
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

/** Of a process that lives: VmHWM and the like, in bytes; undefined once it is gone. */
export function memoryPeak(pid: number): number | undefined {
  try {
    const [, kibibytes] =
      /^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    return undefined;
  }
}

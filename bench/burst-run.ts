// A stand-in for GitLab in this process, and `burst run` as a process of its own that takes its jobs.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { RawJob } from "../src/stand-in/raw-job.ts";
import { startStandIn } from "../src/stand-in/start.ts";
import type { StandIn } from "../src/stand-in/stand-in.ts";
import type { JobView } from "../src/stand-in/views.ts";
import { root } from "./built.ts";
import { watchMemory } from "./memory-watch.ts";
import type { MemoryWatch } from "./memory-watch.ts";

/** Milliseconds since the epoch, finer than Date.now: the stand-in's clock here. */
export const now = (): number => performance.timeOrigin + performance.now();

export interface RunJob {
  readonly job: JobView;
  readonly enqueuedAt: number;
  readonly finishedAt: number;
}

export interface BurstRun {
  readonly gitlab: StandIn;
  readonly memory: MemoryWatch;
  /** From the enqueuing to the job's final state. */
  run(raw: RawJob): Promise<RunJob>;
  /** When the runner printed this event of the job; waits for it. */
  event(jobId: number, name: string): Promise<number>;
  close(): Promise<void>;
}

export interface BurstRunOptions {
  /** What Node is given: flags, then the program. */
  readonly program: readonly string[];
  readonly concurrent?: number;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** More arguments of `burst run`. */
  readonly flags?: Readonly<Record<string, string>>;
}

const patienceMilliseconds = 120_000;

export async function startBurstRun(options: BurstRunOptions): Promise<BurstRun> {
  const home = await mkdtemp(join(tmpdir(), "burst-bench-"));
  const gitlab = await openGitLab();
  const settings = join(home, "settings.json");
  await writeFile(settings, JSON.stringify({ check_interval: 0, ...options.settings }));
  const child = spawn(
    process.execPath,
    [...options.program, ...runArguments(gitlab, settings, options)],
    { cwd: home, env: { ...process.env, TMPDIR: home }, stdio: ["ignore", "pipe", "pipe"] },
  );
  const events = hearEvents(child);
  const memory = watchMemory(child.pid ?? 0);
  return {
    gitlab,
    memory,
    async run(raw) {
      const enqueuedAt = now();
      const { id } = await gitlab.enqueue(raw);
      const done = gitlab.waitForJob(id, undefined, patienceMilliseconds);
      const job = await Promise.race([done, events.died]);
      const finishedAt = now();
      checkJob(job);
      return { job, enqueuedAt, finishedAt };
    },
    event: events.wait,
    async close() {
      memory.stop();
      child.kill("SIGTERM");
      child.kill("SIGINT");
      await events.ended;
      await gitlab.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

function runArguments(
  gitlab: StandIn,
  settings: string,
  options: BurstRunOptions,
): readonly string[] {
  const flags = {
    url: gitlab.url,
    token: gitlab.runnerToken,
    settings,
    concurrent: String(options.concurrent ?? 1),
    "log-format": "json",
    ...options.flags,
  };
  return ["run", ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])];
}

/** As GitLab with its long poll, and without limits that a benchmark would run into. */
export function openGitLab(): Promise<StandIn> {
  return startStandIn({
    longPollSeconds: 50,
    now,
    traceLimitBytes: 2 ** 40,
    artifactLimitBytes: 2 ** 40,
    rateLimits: { jobRequestsPerMinute: 1e9, tracesPerMinute: 1e9, jobCallsPerMinute: 1e9 },
  });
}

/** A job that is not as it should be makes its time worthless. */
export function checkJob(job: JobView): void {
  if (job.status !== "success") {
    throw new Error(
      `job ${job.name} is ${job.status}, ${job.failureReason ?? "no reason"}:\n${job.trace().toString()}`,
    );
  }
  if (job.reported.checksum !== job.traceChecksum) {
    throw new Error(`the trace of job ${job.name} is not what the runner sent`);
  }
}

interface RunnerEvents {
  wait(jobId: number, name: string): Promise<number>;
  readonly ended: Promise<void>;
  /** Rejects when the runner ends. */
  readonly died: Promise<never>;
}

function hearEvents(child: ChildProcess): RunnerEvents {
  const seen = new Map<string, number>();
  const waiting = new Map<string, (at: number) => void>();
  let complaints = "";
  child.stderr?.on("data", (bytes: Buffer) => {
    complaints += bytes.toString();
  });
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const { event, job_id: jobId } = JSON.parse(line) as { event: string; job_id: number };
      const key = `${jobId} ${event}`;
      seen.set(key, now());
      waiting.get(key)?.(now());
    });
  }
  const ended = new Promise<void>((resolve) => {
    child.on("close", () => resolve());
  });
  const died = ended.then(() => {
    throw new Error(`the runner has ended early: ${complaints}`);
  });
  // It also ends when nobody waits for a job any more.
  died.catch(() => undefined);
  return {
    ended,
    died,
    wait(jobId, name) {
      const key = `${jobId} ${name}`;
      const heard = new Promise<number>((resolve) => {
        const at = seen.get(key);
        if (at === undefined) waiting.set(key, resolve);
        else resolve(at);
      });
      return Promise.race([heard, died]);
    },
  };
}

/** The command line as it is started from a checkout, through tsx. */
export const fromSource: readonly string[] = [
  "--import",
  import.meta.resolve("tsx"),
  join(root, "src/cli/main.ts"),
];

/** The same as a user of the package starts it. */
export function fromPackage(dist: string): readonly string[] {
  return [join(dist, "cli/main.js")];
}

// The life of a runner on one machine: ask GitLab for jobs while there is room, see each to its end.

import { parseJob } from "../core/job.ts";
import type { Settings } from "../core/settings.ts";
import type { HandOff } from "../core/hand-off.ts";
import type { Executor } from "../local/executor.ts";
import type { GitLabClient } from "../gitlab/client.ts";
import type { RunnerHealth } from "../gitlab/health.ts";
import type { ClaimBook } from "../local/claims.ts";
import { runClaim } from "./run-claim.ts";
import type { RunEvent } from "./run-events.ts";

export interface RunnerDeps {
  readonly gitlab: GitLabClient;
  readonly executor: Executor;
  readonly claims: ClaimBook;
  readonly health: RunnerHealth;
  /** Resolves early when the signal aborts. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** Milliseconds that only go forward, whatever happens to the machine's clock. */
  readonly now: () => number;
  /** Milliseconds since the epoch, for what others compare with their clocks. */
  readonly wallClock: () => number;
  readonly onEvent: (event: RunEvent) => void;
  /** A sentence for whoever runs the runner; never the job's affair. */
  readonly onDiagnostic: (text: string) => void;
}

export interface RunnerOptions {
  readonly concurrent: number;
  /** Stop after this many claimed jobs. */
  readonly maxJobs: number;
  readonly checkIntervalSeconds: number;
  /** Everything in a hand-off but what belongs to one job. */
  readonly handOff: Omit<
    HandOff,
    "job" | "claimedAt" | "concurrentId" | "concurrentProjectId" | "folders"
  >;
  readonly settings: Settings;
  /** First: ask for no more jobs and wait for those that run. */
  readonly stop: AbortSignal;
  /** Second: end the running jobs too. */
  readonly interrupt: AbortSignal;
}

/** A long poll that has been silent this long cannot be about to become a job: see the protocol's notes. */
const silentLongPollMilliseconds = 20_000;

/** Runs until `maxJobs` are done or `stop` is raised; resolves when no job is left running. */
export async function runRunner(deps: RunnerDeps, options: RunnerOptions): Promise<void> {
  const running = new Set<Promise<void>>();
  const slots = new Set<number>();
  /** One a job: Node takes a signal with a dozen listeners for a leak. */
  const interrupts = new Set<AbortController>();
  const over = new AbortController();
  void aborted(options.interrupt, over.signal).then(() => interrupts.forEach((one) => one.abort()));
  let claimed = 0;
  /** What GitLab's queue was at, when it last said so. */
  let queueValue: string | undefined;
  /** Whether the last request was made without waiting for the interval: never two in a row. */
  let hurried = false;
  /** What was last said about GitLab: not said again while it stays so. */
  let complaint = "";

  while (!options.stop.aborted && claimed < options.maxJobs) {
    if (running.size >= options.concurrent) {
      const woken = new AbortController();
      await Promise.race([...running, aborted(options.stop, woken.signal)]);
      woken.abort();
      continue;
    }
    const pause = await poll();
    if (pause > 0) await deps.sleep(pause, options.stop);
  }
  await Promise.all(running);
  over.abort();

  /** One request. Resolves to the milliseconds to wait before the next one. */
  async function poll(): Promise<number> {
    const { gitlab, health, now, onDiagnostic } = deps;
    const banned = health.bannedUntil(now());
    if (banned !== undefined) return banned - now();
    const asked = now();
    const reply = await requestJob(gitlab, options.stop, deps.sleep);
    const interval = Math.max(0, asked + options.checkIntervalSeconds * 1000 - now());
    const verdict = health.onReply(reply.kind, now());
    if (verdict !== undefined) onDiagnostic(verdict);
    // A request that was given up for a stop is nobody's fault.
    if (reply.kind === "unavailable" && options.stop.aborted) return 0;
    complain("message" in reply ? reply.message : "");
    switch (reply.kind) {
      case "job":
        claimed++;
        start(reply.raw, reply.payload, reply.jobId, reply.token);
        return 0;
      case "none": {
        // A new value is what a long poll waits on: ask again, and be held until there is a job.
        const mayBeHeld = reply.lastUpdate !== undefined && reply.lastUpdate !== queueValue;
        queueValue = reply.lastUpdate;
        hurried = mayBeHeld && !hurried;
        return hurried ? 0 : interval;
      }
      case "conflict":
        return interval;
      case "forbidden":
      case "rejected":
      case "unavailable":
        return interval;
    }
  }

  function complain(about: string) {
    if (about === complaint) return;
    deps.onDiagnostic(about === "" ? "GitLab answers again" : about);
    complaint = about;
  }

  function start(
    raw: string,
    payload: unknown,
    jobId: number,
    token: Parameters<typeof runClaim>[1]["token"],
  ) {
    const claimedAt = deps.now();
    const parsed = parseJob(payload);
    let slot = -1;
    const own = new AbortController();
    if (options.interrupt.aborted) own.abort();
    interrupts.add(own);
    const job = takeSlot()
      .then((taken) => {
        slot = taken;
        const claim = { raw, parsed, jobId, token, slot, claimedAt };
        return runClaim(deps, claim, { ...options, interrupt: own.signal });
      })
      .catch((cause: unknown) => {
        // runClaim settles what it can; what comes here is a fault of our own, told without its data.
        deps.onDiagnostic(
          `job ${jobId}: ${cause instanceof Error ? cause.message : String(cause)}`,
        );
      })
      .finally(() => {
        slots.delete(slot);
        interrupts.delete(own);
        running.delete(job);
      });
    running.add(job);
  }

  /** The lowest that neither we use nor a job that outlived an earlier run of ours. */
  async function takeSlot(): Promise<number> {
    const others = await deps.claims.slotsInUse();
    let slot = 0;
    while (slots.has(slot) || others.has(slot)) slot++;
    slots.add(slot);
    return slot;
  }
}

async function requestJob(
  gitlab: GitLabClient,
  stop: AbortSignal,
  sleep: RunnerDeps["sleep"],
): ReturnType<GitLabClient["requestJob"]> {
  const giveUp = new AbortController();
  const settled = new AbortController();
  const request = gitlab.requestJob({ signal: giveUp.signal });
  // Only a stop cuts a request off, and only one so long silent that no job can be on its way.
  void sleep(silentLongPollMilliseconds, settled.signal)
    .then(() => aborted(stop, settled.signal))
    .then(() => giveUp.abort());
  return await request.finally(() => settled.abort());
}

/** Resolves with `signal`, which outlives many waits: from `over` on it is not listened to, and nothing resolves. */
function aborted(signal: AbortSignal, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (over.aborted) return;
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true, signal: over });
  });
}

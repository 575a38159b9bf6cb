// A job's frame: what is opened before its first stage and closed after its last, and its debt: GitLab
// gets the whole trace and the result, or the launcher an exit code that says it did not.

import { agentExit } from "../core/hand-off.ts";
import { closingLine, finalUpdate } from "../core/outcome.ts";
import type { Outcome } from "../core/outcome.ts";
import { createGitLabClient } from "../gitlab/client.ts";
import type { GitLabClient } from "../gitlab/client.ts";
import { folderStore } from "./cache/folder-store.ts";
import { sleep, steadyNow } from "./clock.ts";
import { ContainerGone } from "./container-gone.ts";
import { openJobContainer } from "./job-container.ts";
import type { JobContainer } from "./job-container.ts";
import { createJobStops } from "./job-stops.ts";
import type { JobStops } from "./job-stops.ts";
import { mirrorTo } from "./mirror.ts";
import { readyJob } from "./ready-job.ts";
import type { ReadyJob } from "./ready-job.ts";
import type { Launcher } from "./launcher.ts";
import type { Reports } from "./report.ts";
import { runJob } from "./run-job.ts";
import { openSpool } from "./spool.ts";
import { printHeader } from "./trace-header.ts";
import { watchSurroundings } from "./surroundings.ts";
import type { Surroundings } from "./surroundings.ts";
import { pumpTimeouts, startTracePump } from "./trace-pump.ts";
import type { Delivery, TracePump } from "./trace-pump.ts";
import { openTrace } from "./trace.ts";
import type { Trace } from "./trace.ts";
import { stoppedOutcome } from "./user-script.ts";

/** Seconds that processes left over by a job get between TERM and KILL. */
const leftoverSeconds = 1;

/** Runs the job and delivers it. Resolves to the agent's exit code. */
export async function deliverJob(launcher: Launcher, reports: Reports): Promise<number> {
  const { handOff } = launcher;
  const ready = readyJob(handOff);
  const { job, settings } = ready;
  const gitlab = createGitLabClient(ready.client);
  const pumpClient = createGitLabClient({ ...ready.client, timeouts: pumpTimeouts });
  const deadline = deadlineOf(ready);
  const stops = createJobStops();
  const interrupt = () => stops.stop("interrupted");
  process.on("SIGTERM", interrupt);
  process.on("SIGINT", interrupt);
  const spool = openSpool(handOff.folders.scratch, (cause) =>
    stops.breakOff(`the runner cannot keep the job's log: ${textOf(cause)}`),
  );
  const trace = openTrace(spool, mirrorTo(process.stdout), ready.trace);
  const pump = startTracePump({
    gitlab: pumpClient,
    jobId: job.id,
    token: job.token,
    spool,
    debugTrace: ready.debugTrace,
    finalAttempts: settings.job_status_final_update_retry_limit,
    onOrder: (order) => stops.stop(order === "abort" ? "aborted" : "canceled"),
    now: steadyNow,
    sleep,
  });
  const surroundings = watchSurroundings(launcher, trace, stops);
  const over = new AbortController();
  void limitTime(deadline, stops, over.signal);
  try {
    const outcome = await perform(ready, deadline, { gitlab, trace, stops, reports, surroundings });
    if (outcome === undefined) return await abandon(pump);
    return await conclude(ready, { trace, stops, reports, pump }, outcome);
  } catch (cause) {
    // A fault of ours: GitLab gets what there is of the log, the result is the launcher's to tell.
    await pump.abandon();
    throw cause;
  } finally {
    over.abort();
    process.off("SIGTERM", interrupt);
    process.off("SIGINT", interrupt);
    spool.close();
    await Promise.all([gitlab.close(), pumpClient.close()]);
  }
}

/** All stages; undefined where the job's container vanished and only the launcher knows why. */
async function perform(
  ready: ReadyJob,
  deadline: number,
  frame: {
    gitlab: GitLabClient;
    trace: Trace;
    stops: JobStops;
    reports: Reports;
    surroundings: Surroundings;
  },
): Promise<Outcome | undefined> {
  const { trace, stops, reports } = frame;
  const { handOff } = ready;
  printHeader(trace, ready);
  if (ready.refusal !== undefined) return ready.refusal;
  let container: JobContainer | undefined;
  try {
    container = await openJobContainer(handOff.folders.control, (bytes) =>
      trace.output.write(bytes),
    );
    return await runJob({
      ...ready,
      ...frame,
      container,
      caches: folderStore({ folder: handOff.folders.cache, log: trace.log, now: steadyNow }),
      remainingMs: () => deadline - steadyNow(),
      fence: async () => {
        await reports.send({ kind: "started" });
        return true;
      },
      now: steadyNow,
      sleep,
    });
  } catch (cause) {
    if (!(cause instanceof ContainerGone)) {
      return { kind: "failed", reason: "runner_system_failure", message: textOf(cause) };
    }
    // A container that went away because we were told to stop is no riddle.
    if (!stops.all.aborted || stops.reason === "lost") return undefined;
    return stoppedOutcome({ stops, job: ready.job });
  } finally {
    await container?.quit(leftoverSeconds);
  }
}

async function conclude(
  ready: ReadyJob,
  frame: { trace: Trace; stops: JobStops; reports: Reports; pump: TracePump },
  outcome: Outcome,
): Promise<number> {
  const closing = closingLine(outcome);
  if (closing.level === "info") frame.trace.log.info(closing.text);
  else frame.trace.log.error(closing.text);
  frame.trace.output.flush();
  const update = finalUpdate(outcome, ready.job.features.failure_reasons);
  await frame.reports.send({
    kind: "result",
    result: frame.stops.canceled ? "canceled" : outcome.kind === "success" ? "success" : "failed",
    ...(update.failure_reason === undefined ? {} : { failureReason: update.failure_reason }),
    ...(update.exit_code === undefined ? {} : { exitCode: update.exit_code }),
  });
  const delivery = await frame.pump.finish({
    state: update.state,
    failureReason: update.failure_reason,
    exitCode: update.exit_code,
  });
  return exitCodeOf(delivery);
}

/** The trace goes out as far as it can; the result is the launcher's to tell. */
async function abandon(pump: TracePump): Promise<number> {
  await pump.abandon();
  return agentExit.containerGone;
}

function exitCodeOf(delivery: Delivery): number {
  switch (delivery.kind) {
    case "confirmed":
    case "refused":
      return agentExit.confirmed;
    case "undelivered":
      process.stderr.write(`agent: ${delivery.message}\n`);
      return agentExit.undelivered;
  }
}

/** The end of the job's own time limit, which GitLab counts from the claim, on our steady clock. */
function deadlineOf(ready: ReadyJob): number {
  // A launcher's clock that is ahead of ours does not make the job's time longer.
  const sinceClaim = Math.max(0, Date.now() - ready.handOff.claimedAt);
  return steadyNow() - sinceClaim + ready.job.runner_info.timeout * 1000;
}

async function limitTime(deadline: number, stops: JobStops, over: AbortSignal): Promise<void> {
  await sleep(Math.max(0, deadline - steadyNow()), over);
  if (!over.aborted) stops.stop("timeout");
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

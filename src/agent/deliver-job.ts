// A job's frame: what is opened before its first stage and closed after its last, and its debt: GitLab
// gets the whole trace and the result, or the launcher an exit code that says it did not. By which door the job
// came (a launcher beside us, a task on ECS) is not known here.

import { cacheRequestTimeoutSeconds } from "../core/cache.ts";
import { agentExit } from "../core/hand-off.ts";
import { closingLine, finalUpdate } from "../core/outcome.ts";
import type { Outcome } from "../core/outcome.ts";
import { createGitLabClient } from "../gitlab/client.ts";
import type { GitLabClient } from "../gitlab/client.ts";
import { sleep, steadyNow } from "./clock.ts";
import { ContainerGone } from "./container-gone.ts";
import { FenceLost } from "./fence-lost.ts";
import { onceBegun } from "./once-begun.ts";
import type { Beginning } from "./once-begun.ts";
import { openJobContainer } from "./job-container.ts";
import type { JobContainer } from "./job-container.ts";
import { hearInterrupts } from "./interruption.ts";
import type { Interruption } from "./interruption.ts";
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

/** What is left of a job's log may take so long where its launcher is waiting for the job. */
const partingMilliseconds = 20_000;

type Performed =
  | { readonly kind: "outcome"; readonly outcome: Outcome }
  /** Whoever launched us has to say what became of the job. */
  | { readonly kind: "left"; readonly exitCode: number };

/** Runs the job and delivers it. Resolves to the agent's exit code. */
export async function deliverJob(launcher: Launcher, reports: Reports): Promise<number> {
  const { handOff } = launcher;
  const ready = readyJob(handOff);
  const { job, settings } = ready;
  const gitlab = createGitLabClient(ready.client);
  const pumpClient = createGitLabClient({ ...ready.client, timeouts: pumpTimeouts });
  const deadline = deadlineOf(ready);
  const stops = createJobStops();
  const spool = openSpool(handOff.folders.scratch, (cause) =>
    stops.breakOff(`the runner cannot keep the job's log: ${textOf(cause)}`),
  );
  const mirror = mirrorTo(process.stdout);
  const inherited = Buffer.from(launcher.inherited);
  spool.append(inherited, false);
  mirror(inherited);
  const trace = openTrace(spool, mirror, ready.trace);
  const pump = startTracePump({
    gitlab: pumpClient,
    jobId: job.id,
    token: job.token,
    spool,
    inherited: inherited.length,
    debugTrace: ready.debugTrace,
    finalAttempts: settings.job_status_final_update_retry_limit,
    onOrder: (order) => stops.stop(order === "abort" ? "aborted" : "canceled"),
    now: steadyNow,
    sleep,
  });
  const over = new AbortController();
  const beginning = onceBegun(reports, stops, () => {
    pump.silence();
    stops.stop("lost");
  });
  const interruption = hearInterrupts({ launcher, stops, pump, beginning, over: over.signal });
  const surroundings = watchSurroundings(launcher, trace, stops);
  void limitTime(deadline, stops, over.signal);
  const frame = { gitlab, trace, stops, reports, surroundings, launcher, beginning, interruption };
  try {
    const performed = await perform(ready, deadline, frame);
    interruption.ignore();
    if (performed.kind === "left") {
      const patience = launcher.handsBack ? partingMilliseconds : Number.POSITIVE_INFINITY;
      await Promise.race([pump.abandon(), sleep(patience, over.signal)]);
      return performed.exitCode;
    }
    return await conclude(ready, { trace, stops, reports, pump }, performed.outcome);
  } catch (cause) {
    // A fault of ours: GitLab gets what there is of the log, the result is the launcher's to tell.
    await pump.abandon();
    throw cause;
  } finally {
    over.abort();
    interruption.deafen();
    spool.close();
    await Promise.all([gitlab.close(), pumpClient.close()]);
  }
}

interface Frame {
  readonly gitlab: GitLabClient;
  readonly trace: Trace;
  readonly stops: JobStops;
  readonly reports: Reports;
  readonly surroundings: Surroundings;
  readonly launcher: Launcher;
  readonly beginning: Beginning;
  readonly interruption: Interruption;
}

/** All stages, and what is to be known about their end before anybody is told. */
async function perform(ready: ReadyJob, deadline: number, frame: Frame): Promise<Performed> {
  const { launcher, interruption, stops } = frame;
  const performed = await runStages(ready, deadline, frame);
  if (!launcher.handsBack) return performed;
  const interrupted = { kind: "left", exitCode: agentExit.interrupted } as const;
  if (performed.kind === "left") {
    // All containers of a task are told to stop at once: the job's own may have been faster.
    return performed.exitCode === agentExit.containerGone && interruption.heard
      ? interrupted
      : performed;
  }
  const { outcome } = performed;
  if (outcome.kind === "success") return performed;
  if (stops.reason === "interrupted") return interrupted;
  if (stops.canceled) return performed;
  return (await launcher.lookBack(outcome)) === "interrupted" ? interrupted : performed;
}

async function runStages(ready: ReadyJob, deadline: number, frame: Frame): Promise<Performed> {
  const { trace, stops, launcher, beginning } = frame;
  const { handOff } = ready;
  printHeader(trace, ready);
  for (const line of launcher.head) trace.log.line(line);
  if (ready.refusal !== undefined) return { kind: "outcome", outcome: ready.refusal };
  let container: JobContainer | undefined;
  try {
    container = await openJobContainer(handOff.folders.control, (bytes) =>
      trace.output.write(bytes),
    );
    const outcome = await runJob({
      ...ready,
      ...frame,
      container,
      caches: launcher.caches({
        log: trace.log,
        signal: stops.all,
        timeoutSeconds: cacheRequestTimeoutSeconds(ready.variables),
      }),
      remainingMs: () => deadline - steadyNow(),
      fence: beginning.begin,
      now: steadyNow,
      sleep,
    });
    return { kind: "outcome", outcome };
  } catch (cause) {
    if (cause instanceof FenceLost) return { kind: "left", exitCode: agentExit.fenceLost };
    if (!(cause instanceof ContainerGone)) {
      const message = textOf(cause);
      return {
        kind: "outcome",
        outcome: { kind: "failed", reason: "runner_system_failure", message },
      };
    }
    // A container that went away because we were told to stop is no riddle.
    if (!stops.all.aborted || stops.reason === "lost") {
      return { kind: "left", exitCode: agentExit.containerGone };
    }
    return { kind: "outcome", outcome: stoppedOutcome({ stops, job: ready.job }) };
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

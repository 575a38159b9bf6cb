// What the end of a task means for its job: read from the stop code, the reasons, and the exit codes of containers by
// name, together with what the job itself has left: its fence and its result. A table, from top to bottom.

import type { Verdict } from "./claim.ts";
import { failureReasons } from "./failure-reason.ts";
import type { FailureReason } from "./failure-reason.ts";
import { agentExit } from "./hand-off.ts";
import type { AgentReport } from "./hand-off.ts";
import { memorySuggestion, pullAdvice } from "./stop-advice.ts";
import type { ContainerState, TaskState } from "./task-state.ts";

export type JobResult = Extract<AgentReport, { kind: "result" }>;

/** What the plan says of the task, as far as its end is told by it. */
export interface StopFacts {
  readonly agent: string;
  readonly job: string;
  /** Containers' images as the job has them, by the container's name. */
  readonly images: Readonly<Record<string, string>>;
  /** The same as they are pulled. */
  readonly pulled: Readonly<Record<string, string>>;
  /** The job container's limit. */
  readonly memoryMiB: number;
  readonly diskGiB: number;
  readonly rerunOnLoss: boolean;
}

export interface StopInput {
  readonly task: Pick<TaskState, "stopCode" | "stoppedReason" | "containers">;
  readonly facts: StopFacts;
  /** Whether the fence stands: the script may have begun. */
  readonly started: boolean;
  readonly result: JobResult | undefined;
}

export type StopMeaning =
  /** GitLab has heard everything. */
  | { readonly kind: "nothing" }
  /** Another task of this job has the fence. */
  | { readonly kind: "elsewhere" }
  /** A new task, and nobody need know; `nextRung`: not where this one was. */
  | { readonly kind: "relaunch"; readonly why: string; readonly nextRung: boolean }
  | { readonly kind: "tell"; readonly verdict: Verdict };

export function meaningOf(input: StopInput): StopMeaning {
  const { task, facts, result } = input;
  const agent = task.containers.find(({ name }) => name === facts.agent);
  if (agent?.exitCode === agentExit.confirmed) return { kind: "nothing" };
  if (agent?.exitCode === agentExit.fenceLost) return { kind: "elsewhere" };
  if (result !== undefined) return { kind: "tell", verdict: verdictOf(result) };
  const job = task.containers.find(({ name }) => name === facts.job);
  return (
    lossOf(input) ??
    starved(input) ??
    unpulled(input) ??
    outOfMemory(input, job) ??
    notStarted(input) ??
    (agent?.exitCode === agentExit.containerGone ? jobGone(input, job) : agentGone(input, agent))
  );
}

/** The agent's last word, where it could not bring it to GitLab itself. Its log has the reason already. */
export function verdictOf({ result, failureReason, exitCode }: JobResult): Verdict {
  if (result === "success") return { state: "success", message: "" };
  const known = failureReasons.find((reason) => reason === failureReason);
  const fallback = result === "canceled" ? "job_canceled" : "unknown_failure";
  return {
    state: "failed",
    reason: known ?? fallback,
    message: "",
    ...(exitCode === undefined || exitCode === 0 ? {} : { exitCode }),
  };
}

/** What becomes of a job whose task was lost through no fault of its own. */
export function lost(
  why: string,
  {
    started,
    facts,
  }: Pick<StopInput, "started"> & { readonly facts: Pick<StopFacts, "rerunOnLoss"> },
): StopMeaning {
  if (!started || facts.rerunOnLoss) return { kind: "relaunch", why, nextRung: false };
  return systemFailure(
    `${why} after the job's script had begun. A script is not run twice unasked: retry the job, or let it be run ` +
      'again by itself with BURST_RERUN_ON_LOSS: "true"',
  );
}

function lossOf(input: StopInput): StopMeaning | undefined {
  const { stopCode, stoppedReason } = input.task;
  if (stopCode === "SpotInterruption" || /spot task was interrupted/i.test(stoppedReason)) {
    return lost("AWS took the task's Spot capacity back", input);
  }
  if (stopCode === "TerminationNotice" || stopCode === "InfrastructureHealth") {
    return lost("AWS took the machine of the task out of service", input);
  }
  if (/maintenance on the underlying infrastructure/i.test(stoppedReason)) {
    return lost("AWS did maintenance on the machine of the task", input);
  }
  return undefined;
}

/** No address, no network interface, no room: another subnet, or on-demand instead of Spot, may have it. */
function starved({ task, started }: StopInput): StopMeaning | undefined {
  if (started) return undefined;
  const text = task.stoppedReason;
  if (/capacity is unavailable|insufficient ?capacity/i.test(text)) {
    return { kind: "relaunch", why: "AWS had no room for the task after all", nextRung: true };
  }
  const noAddress = /network interface|InsufficientFreeAddresses|free (?:ip )?address/i.test(text);
  if (!noAddress) return undefined;
  return {
    kind: "relaunch",
    why: `no network interface for the task (${cut(text)})`,
    nextRung: true,
  };
}

function unpulled({ task, facts }: StopInput): StopMeaning | undefined {
  const pull = /CannotPull(?:Container|Image\w*|ECRContainer)?Error/;
  const ours = task.containers.filter(({ name }) => facts.images[name] !== undefined);
  const container = ours.find(({ reason }) => pull.test(reason));
  const text =
    container?.reason ?? (pull.test(task.stoppedReason) ? task.stoppedReason : undefined);
  if (text === undefined) return undefined;
  const image = container === undefined ? imageIn(text, facts) : facts.images[container.name];
  if (container?.name === facts.agent) {
    return systemFailure(`the image of the runner's own agent could not be pulled: ${cut(text)}`);
  }
  const what = image === undefined ? "an image of the job" : `image ${image}`;
  return tell(
    "image_pull_failure",
    `${what} could not be pulled: ${cut(text)}. ${pullAdvice(text, facts.diskGiB)}`,
  );
}

/** A task's own reason names the image as it was pulled; it may have been cut. */
function imageIn(text: string, facts: StopFacts): string | undefined {
  const found = Object.entries(facts.pulled).find(
    ([name, image]) => name !== facts.agent && image !== "" && text.includes(image),
  )?.[0];
  return found === undefined ? undefined : facts.images[found];
}

function outOfMemory(
  { task, facts }: StopInput,
  job: ContainerState | undefined,
): StopMeaning | undefined {
  const oom = /OutOfMemory|killed due to memory/i;
  const whole = oom.test(task.stoppedReason);
  const agent = task.containers.find(({ name }) => name === facts.agent);
  const ofJob = job !== undefined && (oom.test(job.reason) || (whole && job.exitCode === 137));
  if (ofJob) {
    return {
      kind: "tell",
      verdict: {
        state: "failed",
        reason: "script_failure",
        exitCode: 137,
        message:
          `Job failed: the job ran out of memory (exit code 137): its limit is ${facts.memoryMiB} MiB; ` +
          memorySuggestion(facts.memoryMiB),
      },
    };
  }
  if (agent !== undefined && (oom.test(agent.reason) || whole)) {
    return systemFailure(
      `the task ran out of memory, and with it the runner's agent; ${memorySuggestion(facts.memoryMiB)}`,
    );
  }
  return undefined;
}

/** Nothing of the job ran, and the same task would fail the same way again. */
function notStarted(input: StopInput): StopMeaning | undefined {
  const { task, facts } = input;
  const { stoppedReason } = task;
  if (/ResourceInitializationError/.test(stoppedReason)) {
    return systemFailure(
      `AWS could not set the task up: ${cut(stoppedReason)}. See that its subnets lead to ECR, S3, Secrets Manager and ` +
        "CloudWatch Logs, and that the execution role may use them",
    );
  }
  const bad = task.containers.find(
    ({ name, reason }) =>
      facts.images[name] !== undefined &&
      /Cannot(?:Start|Create|Inspect)Container\w*Error/.test(reason),
  );
  if (bad === undefined) return undefined;
  const image = facts.images[bad.name] ?? "";
  const missing = /exec: "?([^":]+)"?: .*(?:executable file not found|no such file)/i.exec(
    bad.reason,
  )?.[1];
  if (bad.name === facts.job && missing === "sh") {
    return tell(
      "runner_configuration_error",
      `image ${image} has no shell (sh) in its PATH, and a job's script needs one: use an image with a POSIX shell, ` +
        "such as the debug or alpine variant of this one",
    );
  }
  if (bad.name !== facts.agent && missing !== undefined) {
    return tell(
      "runner_configuration_error",
      `image ${image} cannot be started: there is no ${missing} in it. Set its entrypoint or command to a program that ` +
        "the image has",
    );
  }
  return systemFailure(`image ${image} could not be started: ${cut(bad.reason)}`);
}

/** The agent says that the job's container never came up, or vanished; why stands with the container. */
function jobGone({ facts, started }: StopInput, job: ContainerState | undefined): StopMeaning {
  const image = facts.images[facts.job] ?? "";
  if (job?.exitCode === undefined) {
    const why = job === undefined || job.reason === "" ? "AWS gives no reason" : cut(job.reason);
    return systemFailure(`the job's container (image ${image}) never started: ${why}`);
  }
  const code = job.exitCode;
  if (!started && code !== 137 && code !== 143) {
    return tell(
      "runner_configuration_error",
      `the container of image ${image} ended by itself with exit code ${code}. An image's entrypoint must exec the ` +
        'command it is given; if this one does not, set entrypoint: [""] in the job\'s image',
    );
  }
  return systemFailure(
    `the job's container ended in the middle of the job (exit code ${code}): the job itself may have killed it`,
  );
}

/** The agent ended without its job's result. */
function agentGone(input: StopInput, agent: ContainerState | undefined): StopMeaning {
  const { stopCode, stoppedReason } = input.task;
  const said = cut([stoppedReason, agent?.reason ?? ""].filter((text) => text !== "").join("; "));
  switch (stopCode) {
    case "EssentialContainerExited":
      return lost(
        `the runner's agent ended early (exit code ${agent?.exitCode ?? "unknown"})`,
        input,
      );
    case "UserInitiated":
      return systemFailure(
        `the task was stopped by somebody with access to the AWS account${said === "" ? "" : ` (${said})`}`,
      );
    case "TaskFailedToStart":
      return systemFailure(`the task could not be started${said === "" ? "" : `: ${said}`}`);
    default:
      return systemFailure(
        `the task stopped for a reason that this runner does not know (${stopCode || "no stop code"}${said === "" ? "" : `: ${said}`})`,
      );
  }
}

export function systemFailure(message: string): Extract<StopMeaning, { kind: "tell" }> {
  return tell("runner_system_failure", message);
}

function tell(reason: FailureReason, message: string): Extract<StopMeaning, { kind: "tell" }> {
  const kind = reason === "runner_system_failure" ? " (system failure)" : "";
  return {
    kind: "tell",
    verdict: { state: "failed", reason, message: `Job failed${kind}: ${message}` },
  };
}

function cut(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 500 ? `${line.slice(0, 500)}…` : line;
}

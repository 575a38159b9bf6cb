// Sends a claim's request to ECS, and says what has come of it.

import type { ClaimPhase, LaunchPoint } from "../core/claim.ts";
import type { RunTaskRequest, TaskDefinition } from "../core/fargate-task.ts";
import { climb, standBack } from "../core/ladder.ts";
import type { NotStarted, WaitInput } from "../core/ladder.ts";
import { obstacleText } from "../core/obstacle.ts";
import type { Obstacle } from "../core/obstacle.ts";
import type { AdvanceDeps } from "./advance-deps.ts";
import type { ClaimedJob } from "./claimed-job.ts";
import { defineTask } from "./prepare-launch.ts";
import { ensureSecrets, pullSecrets } from "./pull-secrets.ts";
import { registerOnce } from "./register-once.ts";

type Phase<K extends ClaimPhase["kind"]> = Extract<ClaimPhase, { kind: K }>;

export type Launched =
  | { readonly kind: "running"; readonly taskArn: string }
  | {
      readonly kind: "waiting";
      readonly launch: LaunchPoint;
      readonly until: number;
      readonly why: string;
      readonly obstacle?: Obstacle | undefined;
    }
  /** Not even looked at: the same request again, not before `until`. */
  | {
      readonly kind: "throttled";
      readonly times: number;
      readonly until: number;
      readonly why: string;
    }
  /** The answer is not known, or there was no definition: the same request again, if the record still says so. */
  | { readonly kind: "unknown" }
  | { readonly kind: "failed"; readonly message: string };

/** Sends the recorded request, once: what ECS says may have been overtaken, and the record is the one to ask. */
export async function runTask(
  deps: AdvanceDeps,
  job: ClaimedJob,
  phase: Phase<"launching">,
): Promise<Launched> {
  // Written by us as such a request, and read back from our own record.
  const request = phase.request as unknown as RunTaskRequest;
  const reply = await deps.tasks.run(request);
  switch (reply.kind) {
    case "launched":
      return { kind: "running", taskArn: reply.taskArn };
    case "refused":
      return failed(`AWS refuses to start the task: ${reply.message}`);
    case "throttled":
      return turnedAway(deps, job, phase);
    case "no-capacity":
    case "quota":
    case "no-address":
      return nextStep(deps, job, phase, reply);
    case "unknown-definition":
      return await register(deps, job, phase, request.taskDefinition);
    case "unknown":
      deps.logger.warn("RunTask gave no clear answer", { why: reply.message });
      return { kind: "unknown" };
  }
}

async function register(
  deps: AdvanceDeps,
  job: ClaimedJob,
  phase: Phase<"launching">,
  family: string,
): Promise<Launched> {
  const definition = await definitionOf(deps, job);
  if (definition?.family !== family) {
    // Settings have changed since the request was made, and nothing was started by it.
    return { kind: "waiting", launch: again(phase), until: deps.now(), why: "" };
  }
  const reply = await registerOnce(deps, definition);
  switch (reply.kind) {
    case "registered":
    case "unknown":
      return { kind: "unknown" };
    case "elsewhere":
      return { kind: "waiting", launch: again(phase), until: reply.until, why: "" };
    case "throttled":
      return turnedAway(deps, job, phase);
    case "refused":
      return failed(`AWS refuses the job's containers: ${reply.message}`);
  }
}

function again({ launch }: Phase<"launching">): LaunchPoint {
  return { ...launch, try: launch.try + 1 };
}

async function definitionOf(
  deps: AdvanceDeps,
  { id, launchable }: ClaimedJob,
): Promise<TaskDefinition | undefined> {
  if (launchable === undefined) return undefined;
  const secrets = pullSecrets(deps, id.jobKey, launchable.plan);
  const made = defineTask(deps, launchable, await ensureSecrets(deps, secrets));
  return made.kind === "definition" ? made.definition : undefined;
}

function nextStep(
  deps: AdvanceDeps,
  job: ClaimedJob,
  phase: Phase<"launching">,
  reply: NotStarted,
): Launched {
  const { rungs } = job.facts;
  const step = climb({ ...waitOf(deps, job, phase), launch: phase.launch, rungs, reply });
  if (step.kind === "give-up") return failed(step.message);
  const { launch, until, why, obstacle } = step;
  return { kind: "waiting", launch, until, why, obstacle };
}

function turnedAway(deps: AdvanceDeps, job: ClaimedJob, phase: Phase<"launching">): Launched {
  const times = (phase.throttled?.times ?? 0) + 1;
  const step = standBack(times, waitOf(deps, job, phase));
  if (step.kind === "give-up") return failed(step.message);
  return { kind: "throttled", times, until: step.until, why: obstacleText.throttled };
}

function waitOf(
  { now, random }: AdvanceDeps,
  { facts: { timeoutSeconds } }: ClaimedJob,
  { waitingSince }: Phase<"launching">,
): WaitInput {
  return { now: now(), since: waitingSince, timeoutSeconds, chance: random() };
}

function failed(message: string): Launched {
  return { kind: "failed", message };
}

// Makes a task of a claim: what it will read goes into the bucket, the request into the record, and only then to ECS.

import type { ClaimPhase, ClaimRecord, LaunchPoint, Verdict } from "../core/claim.ts";
import { formatClaimId } from "../core/claim.ts";
import { environmentFile } from "../core/env-file.ts";
import { fargateDefinition } from "../core/fargate-definition.ts";
import { runTaskRequest } from "../core/fargate-run.ts";
import type { RunTaskRequest, TaskDefinition } from "../core/fargate-task.ts";
import { handOffUrlVariable } from "../core/hand-off.ts";
import { clientToken, climb, launchName } from "../core/ladder.ts";
import type { NotStarted } from "../core/ladder.ts";
import type { Obstacle } from "../core/obstacle.ts";
import type { Refusal } from "../core/refusal.ts";
import { Secret } from "../core/secret.ts";
import { stateKeys } from "../core/state-keys.ts";
import type { AdvanceDeps } from "./advance-deps.ts";
import type { ClaimedJob, Launchable } from "./claimed-job.ts";
import { makeGrants, readable } from "./grants.ts";
import { makeHandOff } from "./hand-off.ts";
import { registerOnce } from "./register-once.ts";
import { ensureSecrets, missingOwned, pullSecrets } from "./pull-secrets.ts";

type Phase<K extends ClaimPhase["kind"]> = Extract<ClaimPhase, { kind: K }>;

export type Prepared =
  | { readonly kind: "record"; readonly claim: ClaimRecord }
  /** What is to be made must be written down first; then come again. */
  | { readonly kind: "own-first"; readonly owned: ClaimRecord["owned"] }
  | { readonly kind: "refused"; readonly verdict: Verdict };

/** Writes what the launch at this point needs, and gives the record that has its request. */
export async function prepareLaunch(
  deps: AdvanceDeps,
  job: ClaimedJob,
  launchable: Launchable,
  launch: LaunchPoint,
): Promise<Prepared> {
  const { id, claim, facts } = job;
  const { plan, place } = launchable;
  const secrets = pullSecrets(deps, id.jobKey, plan);
  const owned = missingOwned(claim.owned, secrets);
  if (owned.length > 0) return { kind: "own-first", owned };
  const loginSecrets = await ensureSecrets(deps, secrets);
  const made = defineTask(deps, launchable, loginSecrets);
  if (made.kind === "refusal") return refused(made);
  const { family } = made.definition;
  const files = await writeFiles(deps, job, launchable, launch);
  const rung = facts.rungs[launch.rung] ?? facts.rungs[0];
  const run = runTaskRequest(plan, family, place, {
    clientToken: clientToken(id.jobKey, launch, deps.sha256Hex),
    startedBy: formatClaimId(id),
    capacityProvider: rung?.capacity === "spot" ? "FARGATE_SPOT" : "FARGATE",
    subnets: rung?.subnets ?? deps.environment.BURST_SUBNETS,
    environmentFiles: files,
    labels: {
      runner: id.runner,
      ...plan.labels,
      // GitLab's own idea of an environment is `environment`.
      "burst-environment": deps.environment.BURST_ENVIRONMENT,
    },
  });
  if (run.kind === "refusal") return refused(run);
  const isOwn = secrets.some(({ own }) => own);
  const now = deps.now();
  const { phase } = claim;
  return {
    kind: "record",
    claim: {
      ...claim,
      owned: [...claim.owned, ...(isOwn ? ownedDefinition(claim.owned, family) : [])],
      phase: {
        kind: "launching",
        launch,
        since: now,
        waitingSince: phase.kind === "waiting" ? phase.since : now,
        request: { ...run.request },
      },
    },
  };
}

function defineTask(
  deps: AdvanceDeps,
  { plan, place }: Launchable,
  loginSecrets: Readonly<Record<string, string>>,
) {
  const { bootScript, sha256Hex } = deps;
  return fargateDefinition(plan, place, { bootScript, loginSecrets, sha256Hex });
}

function ownedDefinition(owned: ClaimRecord["owned"], family: string): ClaimRecord["owned"] {
  const known = owned.some(({ kind, name }) => kind === "definition" && name === family);
  return known ? [] : [{ kind: "definition", name: family }];
}

/** Environment files and hand-off of one launch. Resolves to the files' keys by container. */
async function writeFiles(
  deps: AdvanceDeps,
  job: ClaimedJob,
  launchable: Launchable,
  launch: LaunchPoint,
): Promise<Readonly<Record<string, string>>> {
  const { objects } = deps;
  const { jobKey } = job.id;
  const { plan } = launchable;
  const folder = launchName(launch);
  const files: Record<string, string> = {};
  const notices: string[] = [...noticesOf(job)];
  const write = async (container: string, key: string, text: string) => {
    if (text === "") return;
    await objects.write(key, text);
    files[container] = key;
  };
  for (const { name, requestedImage, environment } of plan.services) {
    const { text, leftOut } = environmentFile(environment);
    notices.push(
      ...leftOut.map(
        (left) => `Service ${requestedImage} does not get the variable ${left.name}: ${left.why}`,
      ),
    );
    await write(name, stateKeys.serviceEnvironment(jobKey, folder, name), text);
  }
  const handOffKey = stateKeys.handOff(jobKey, folder);
  const grants = await makeGrants(deps, job, launchable);
  const handOff = makeHandOff(deps, job, launchable, launch, { grants, notices });
  await objects.write(handOffKey, JSON.stringify(handOff));
  await objects.write(stateKeys.grants(jobKey), JSON.stringify(grants));
  const url = new Secret(await readable(objects, handOffKey));
  const { text } = environmentFile([{ name: handOffUrlVariable, value: url }]);
  await write(plan.agent.name, stateKeys.agentEnvironment(jobKey, folder), text);
  return files;
}

/** What nobody has said in the job's log: a launcher writes there only before the first task. */
function noticesOf({ claim: { phase } }: ClaimedJob): readonly string[] {
  if (phase.kind !== "waiting" || phase.launch.attempt === 1 || phase.why === "") return [];
  return [`This is task ${phase.launch.attempt} of the job: ${phase.why}`];
}

function refused({ reason, message, exitCode }: Refusal): Prepared {
  const code = exitCode === undefined ? {} : { exitCode };
  return {
    kind: "refused",
    verdict: { state: "failed", reason, message: `Job failed: ${message}`, ...code },
  };
}

export type Launched =
  | { readonly kind: "running"; readonly taskArn: string }
  | {
      readonly kind: "waiting";
      readonly launch: LaunchPoint;
      readonly until: number;
      readonly why: string;
      readonly obstacle?: Obstacle | undefined;
    }
  /** The answer is not known: the same request again, later. */
  | { readonly kind: "unknown" }
  | { readonly kind: "failed"; readonly message: string };

/** Waits between two of the same question. */
const pauses: readonly number[] = [500, 1000, 2000, 4000];

/** Sends the recorded request until ECS says what has come of it. */
export async function runTask(
  deps: AdvanceDeps,
  job: ClaimedJob,
  phase: Phase<"launching">,
): Promise<Launched> {
  // Written by us as such a request, and read back from our own record.
  const request = phase.request as unknown as RunTaskRequest;
  for (let round = 0; ; round++) {
    const reply = await deps.tasks.run(request);
    switch (reply.kind) {
      case "launched":
        return { kind: "running", taskArn: reply.taskArn };
      case "refused":
        return { kind: "failed", message: `AWS refuses to start the task: ${reply.message}` };
      case "throttled":
      case "no-capacity":
      case "quota":
      case "no-address":
        return nextStep(deps, job, phase, reply);
      case "unknown-definition": {
        const step = await register(deps, job, phase, request.taskDefinition);
        if (step !== undefined) return step;
        break;
      }
      case "unknown":
        deps.logger.warn("RunTask gave no clear answer", { why: reply.message });
        break;
    }
    const pause = pauses[round];
    if (pause === undefined) return { kind: "unknown" };
    await deps.sleep(pause);
  }
}

/** undefined: it is there now, or perhaps; ask for the task again. */
async function register(
  deps: AdvanceDeps,
  job: ClaimedJob,
  phase: Phase<"launching">,
  family: string,
): Promise<Launched | undefined> {
  const definition = await definitionOf(deps, job);
  if (definition?.family !== family) {
    // Settings have changed since the request was made, and nothing was started by it.
    return { kind: "waiting", launch: again(phase), until: deps.now(), why: "" };
  }
  const reply = await registerOnce(deps, definition);
  switch (reply.kind) {
    case "registered":
    case "unknown":
      return undefined;
    case "elsewhere":
      return { kind: "waiting", launch: again(phase), until: reply.until, why: "" };
    case "throttled":
      return nextStep(deps, job, phase, reply);
    case "refused":
      return { kind: "failed", message: `AWS refuses the job's containers: ${reply.message}` };
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
  { facts }: ClaimedJob,
  phase: Phase<"launching">,
  reply: NotStarted,
): Launched {
  const step = climb({
    launch: phase.launch,
    rungs: facts.rungs,
    reply,
    now: deps.now(),
    since: phase.waitingSince,
    timeoutSeconds: facts.timeoutSeconds,
    chance: deps.random(),
  });
  if (step.kind === "give-up") return { kind: "failed", message: step.message };
  const { launch, until, why, obstacle } = step;
  return { kind: "waiting", launch, until, why, obstacle };
}

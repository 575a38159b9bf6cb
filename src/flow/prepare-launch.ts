// Makes a request of a claim: what its task will read goes into the bucket, the request into the record.

import type { ClaimRecord, LaunchPoint, Verdict } from "../core/claim.ts";
import { formatClaimId } from "../core/claim.ts";
import { environmentFile } from "../core/env-file.ts";
import { fargateDefinition } from "../core/fargate-definition.ts";
import { runTaskRequest } from "../core/fargate-run.ts";
import { handOffUrlVariable } from "../core/hand-off.ts";
import { clientToken, launchName } from "../core/ladder.ts";
import type { Refusal } from "../core/refusal.ts";
import { Secret } from "../core/secret.ts";
import { stateKeys } from "../core/state-keys.ts";
import type { AdvanceDeps } from "./advance-deps.ts";
import type { ClaimedJob, Launchable } from "./claimed-job.ts";
import { makeGrants, readable } from "./grants.ts";
import { makeHandOff } from "./hand-off.ts";
import { ensureSecrets, missingOwned, pullSecrets } from "./pull-secrets.ts";

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
        ...(phase.kind === "waiting" ? { why: phase.why } : {}),
        request: { ...run.request },
      },
    },
  };
}

/** What ECS shall know of a job's containers; a refusal where there is no size for them. */
export function defineTask(
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

/**
 * Environment files and hand-off of one launch. Resolves to the files' keys by container. Written anew before a request
 * is sent again that was turned away: the job's log has become longer, and addresses do not hold for ever.
 */
export async function writeFiles(
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
  if (phase.kind !== "waiting" && phase.kind !== "launching") return [];
  const { launch, why = "" } = phase;
  return launch.attempt === 1 || why === ""
    ? []
    : [`This is task ${launch.attempt} of the job: ${why}`];
}

function refused({ reason, message, exitCode }: Refusal): Prepared {
  const code = exitCode === undefined ? {} : { exitCode };
  return {
    kind: "refused",
    verdict: { state: "failed", reason, message: `Job failed: ${message}`, ...code },
  };
}

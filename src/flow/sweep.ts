// What nobody else came by for: claims whose launcher or event was lost, grants that end, and things without an owner.

import { claimSchema, formatClaimId, parseClaimId } from "../core/claim.ts";
import type { ClaimId, ClaimRecord } from "../core/claim.ts";
import { claimOfKey, stateKeys } from "../core/state-keys.ts";
import type { TaskState } from "../core/task-state.ts";
import type { ListedObject } from "../aws/objects.ts";
import { advanceClaim } from "./advance.ts";
import type { AdvanceDeps } from "./advance-deps.ts";
import { readClaimedJob } from "./claimed-job.ts";
import { makeGrants } from "./grants.ts";
import { jobOfSecret, secretNames } from "./pull-secrets.ts";
import type { LoadedRunner } from "./runners.ts";

/** Whoever was invoked for a claim has begun by then. */
const launcherMs = 60_000;
/** Grants of a running job are younger than this when it needs them. */
const grantsMs = 15 * 60_000;
/** What a claim is being made around may look as if it had none. */
const orphanMs = 15 * 60_000;
/** A login that no job has used for so long. */
const unusedMs = 3 * 24 * 3600_000;
const atOnce = 8;

export interface SweepReport {
  readonly claims: number;
  readonly orphans: number;
}

/** Until everything is done or `deadline` has come; what is left is the next one's. */
export async function sweep(deps: AdvanceDeps, deadline: number): Promise<SweepReport> {
  const listed = await deps.objects.list(stateKeys.claims);
  const claims = listed.flatMap(({ key }) => claimOfKey(key) ?? []);
  const files = await deps.objects.list("jobs/");
  const tasks = await runningTasks(deps);
  const sweeper = remember(deps, tasks);
  const waiting = [...claims];
  const work = async () => {
    for (;;) {
      const id = waiting.shift();
      if (id === undefined || deps.now() >= deadline) return;
      await guarded(deps, formatClaimId(id), () => visit(sweeper, id, files));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  if (deps.now() >= deadline) return { claims: claims.length, orphans: 0 };
  return { claims: claims.length, orphans: await sweepOrphans(deps, { claims, files, tasks }) };
}

async function runningTasks({ tasks }: AdvanceDeps): Promise<ReadonlyMap<string, TaskState>> {
  const arns = await tasks.running();
  const found = new Map<string, TaskState>();
  for (let from = 0; from < arns.length; from += 100) {
    for (const task of await tasks.describe(arns.slice(from, from + 100))) {
      found.set(task.taskArn, task);
    }
  }
  return found;
}

/** One look at ECS and at each runner's settings serves all claims of a sweep. */
function remember(deps: AdvanceDeps, known: ReadonlyMap<string, TaskState>): AdvanceDeps {
  const runners = new Map<string, Promise<LoadedRunner | undefined>>();
  const { tasks } = deps;
  return {
    ...deps,
    loadRunner: (name) => {
      const loading = runners.get(name) ?? deps.loadRunner(name);
      runners.set(name, loading);
      return loading;
    },
    tasks: {
      run: (request) => tasks.run(request),
      register: (definition) => tasks.register(definition),
      forget: (family) => tasks.forget(family),
      stop: (arn, reason) => tasks.stop(arn, reason),
      startedBy: (claimId) => tasks.startedBy(claimId),
      running: () => tasks.running(),
      describe: async (arns) => {
        const found = arns.flatMap((arn) => known.get(arn) ?? []);
        return found.length === arns.length ? found : await tasks.describe(arns);
      },
    },
  };
}

/** One claim that cannot be helped must not keep the others from it. */
async function guarded(
  deps: AdvanceDeps,
  claim: string,
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work();
  } catch (cause) {
    deps.logger.error("a claim could not be swept", { claim }, cause);
  }
}

async function visit(
  deps: AdvanceDeps,
  id: ClaimId,
  files: readonly ListedObject[],
): Promise<void> {
  const claimId = formatClaimId(id);
  const stored = await deps.objects.read(stateKeys.claim(id));
  if (stored === undefined) return;
  const claim = claimSchema.parse(JSON.parse(stored.body));
  measureWait(deps, claim);
  switch (toBeLaunched(claim, deps.now())) {
    case "now":
      await deps.functions.invoke(deps.environment.BURST_LAUNCHER, { claim: claimId });
      return;
    case "later":
      return;
    case "no":
      break;
  }
  if (claim.phase.kind === "running") await renewGrants(deps, claimId, id, claim, files);
  await advanceClaim(deps, claimId);
}

function toBeLaunched({ phase, claimedAt }: ClaimRecord, now: number): "now" | "later" | "no" {
  switch (phase.kind) {
    case "claimed":
      return now - claimedAt >= launcherMs ? "now" : "later";
    case "waiting":
      return now >= phase.until ? "now" : "later";
    case "launching":
      return now - Math.max(phase.since, phase.throttled?.until ?? 0) >= launcherMs
        ? "now"
        : "later";
    case "running":
    case "telling":
    case "closing":
      return "no";
  }
}

/** A claim that is never launched would otherwise never be counted as late. */
function measureWait({ metrics, now }: AdvanceDeps, { phase, claimedAt }: ClaimRecord): void {
  const waits = ["claimed", "waiting", "launching"].includes(phase.kind);
  // After a relaunch the wait counts from the loss.
  const waitingSince =
    phase.kind === "waiting"
      ? phase.since
      : phase.kind === "launching"
        ? phase.waitingSince
        : claimedAt;
  const since = Math.max(claimedAt, waitingSince);
  const waitedMs = now() - since;
  if (waits && waitedMs >= launcherMs) metrics.add("QueueSeconds", waitedMs / 1000);
}

async function renewGrants(
  deps: AdvanceDeps,
  claimId: string,
  id: ClaimId,
  claim: ClaimRecord,
  files: readonly ListedObject[],
): Promise<void> {
  const key = stateKeys.grants(id.jobKey);
  const file = files.find((one) => one.key === key);
  if (file === undefined || deps.now() - file.modifiedAt < grantsMs) return;
  const job = await readClaimedJob(deps, claimId, claim);
  if (job.launchable === undefined) return;
  await deps.objects.write(key, JSON.stringify(await makeGrants(deps, job, job.launchable)));
}

interface Seen {
  readonly claims: readonly ClaimId[];
  readonly files: readonly ListedObject[];
  readonly tasks: ReadonlyMap<string, TaskState>;
}

/** How many things without an owner are gone now. */
async function sweepOrphans(deps: AdvanceDeps, seen: Seen): Promise<number> {
  const jobs = new Set(seen.claims.map(({ jobKey }) => jobKey));
  const stopped = await stopOrphans(deps, jobs, seen.tasks);
  const living = new Set(
    [...seen.tasks.values()].flatMap(({ startedBy }) => parseClaimId(startedBy)?.jobKey ?? []),
  );
  const files = await removeFiles(deps, seen.files, (job) => jobs.has(job) || living.has(job));
  return stopped + files + (await removeSecrets(deps, jobs));
}

async function stopOrphans(
  deps: AdvanceDeps,
  jobs: ReadonlySet<string>,
  tasks: ReadonlyMap<string, TaskState>,
): Promise<number> {
  let count = 0;
  for (const { taskArn, startedBy, createdAt, desiredStatus } of tasks.values()) {
    const id = parseClaimId(startedBy);
    if (id === undefined || jobs.has(id.jobKey) || desiredStatus === "STOPPED") continue;
    if (createdAt === undefined || deps.now() - createdAt < launcherMs) continue;
    if (await deps.objects.exists(stateKeys.claim(id))) continue;
    deps.logger.warn("a task that no claim knows is stopped", { claim: startedBy });
    await deps.tasks.stop(taskArn, "No claim of this runner knows this task");
    count++;
  }
  return count;
}

async function removeFiles(
  deps: AdvanceDeps,
  files: readonly ListedObject[],
  isOwned: (jobKey: string) => boolean,
): Promise<number> {
  const orphans = files.filter(({ key, modifiedAt }) => {
    const folder = /^jobs\/([^/]+)\//.exec(key)?.[1] ?? "";
    return !isOwned(folder) && deps.now() - modifiedAt >= orphanMs;
  });
  if (orphans.length > 0) await deps.objects.remove(orphans.map(({ key }) => key));
  return orphans.length;
}

async function removeSecrets(deps: AdvanceDeps, jobs: ReadonlySet<string>): Promise<number> {
  const prefix = deps.environment.BURST_NAME_PREFIX;
  const now = deps.now();
  const own = (await deps.secrets.list(secretNames.own(prefix))).filter(({ name, createdAt }) => {
    const job = jobOfSecret(prefix, name);
    return job !== undefined && !jobs.has(job) && now - createdAt >= orphanMs;
  });
  const shared = (await deps.secrets.list(secretNames.shared(prefix))).filter(
    ({ lastUsedAt, createdAt }) => now - Math.max(lastUsedAt ?? 0, createdAt) >= unusedMs,
  );
  for (const { name } of [...own, ...shared]) await deps.secrets.remove(name);
  return own.length + shared.length;
}

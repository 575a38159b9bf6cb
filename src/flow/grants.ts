// What an agent may do in our buckets: addresses that carry their own signature, for this job's objects alone.

import { planCacheRestore, planCacheSave } from "../core/cache.ts";
import type { CacheInput } from "../core/cache.ts";
import type { Grants } from "../core/hand-off.ts";
import { shortToken } from "../core/short-token.ts";
import { stateKeys } from "../core/state-keys.ts";
import type { Objects, Presigned } from "../aws/objects.ts";
import type { AdvanceDeps } from "./advance-deps.ts";
import type { ClaimedJob, Launchable } from "./claimed-job.ts";

type Presign = Grants["started"];

/** As long as a job may take. They end earlier with our own session, so the sweeper makes them anew. */
const expiresSeconds = 12 * 3600;

export async function makeGrants(
  deps: AdvanceDeps,
  { id, claim }: ClaimedJob,
  launchable: Launchable,
): Promise<Grants> {
  const { objects } = deps;
  const get = (key: string) => sign(objects, "GET", key);
  const started = stateKeys.started(id.jobKey, claim.fence);
  return {
    signedAt: deps.now(),
    started: shape(
      await objects.presign({ method: "PUT", key: started, expiresSeconds, onlyIfMissing: true }),
    ),
    startedBy: await get(started),
    result: await sign(objects, "PUT", stateKeys.result(id.jobKey)),
    renewed: await get(stateKeys.grants(id.jobKey)),
    caches: await cacheGrants(deps, launchable),
  };
}

/** The address of an object that only we write. */
export async function readable(objects: Objects, key: string): Promise<string> {
  return (await sign(objects, "GET", key)).url;
}

async function cacheGrants(deps: AdvanceDeps, launchable: Launchable): Promise<Grants["caches"]> {
  const { read, written } = cacheNames(cacheInput(deps, launchable));
  const { cacheObjects } = deps;
  const caches: Grants["caches"] = {};
  for (const name of new Set([...read, ...written])) {
    const fetch = {
      get: await sign(cacheObjects, "GET", name),
      head: await sign(cacheObjects, "HEAD", name),
    };
    caches[name] = {
      ...fetch,
      ...(written.has(name) ? { put: await sign(cacheObjects, "PUT", name) } : {}),
    };
  }
  return caches;
}

function cacheNames(input: CacheInput) {
  const read = planCacheRestore(input).flatMap((plan) =>
    plan.kind === "restore" ? plan.candidates.map(({ objectName }) => objectName) : [],
  );
  const written = [true, false].flatMap((succeeded) =>
    planCacheSave(input, succeeded).flatMap((plan) =>
      plan.kind === "save" ? [plan.address.objectName] : [],
    ),
  );
  return { read, written: new Set(written) };
}

function cacheInput(deps: AdvanceDeps, launchable: Launchable): CacheInput {
  const { job, runner, variables, flags, projectDir } = launchable;
  const { cache } = runner.settings;
  return {
    caches: job.cache,
    jobName: job.job_info.name,
    ref: job.git_info.ref,
    projectId: job.job_info.project_id,
    projectDir,
    variables,
    store: {
      path: cache.path,
      shared: cache.shared,
      shortToken: shortToken(runner.token.reveal()),
    },
    hashKeys: flags.FF_HASH_CACHE_KEYS,
    sha256Hex: deps.sha256Hex,
  };
}

async function sign(
  objects: Objects,
  method: "GET" | "HEAD" | "PUT",
  key: string,
): Promise<Presign> {
  return shape(await objects.presign({ method, key, expiresSeconds }));
}

function shape({ url, headers }: Presigned): Presign {
  return headers === undefined ? { url } : { url, headers: { ...headers } };
}

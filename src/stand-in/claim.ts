// Which waiting job a runner gets. Jobs that this runner could never run are failed on the way, as
// GitLab does, so that they do not wait for ever.

import { drop, start } from "./engine.ts";
import type { Params } from "./http/exchange.ts";
import type { Job } from "./model.ts";
import { executing } from "./model.ts";
import { dependenciesAlive, jobPayload } from "./payload.ts";
import type { Manager, Runner } from "./runners.ts";
import type { Site } from "./variables.ts";
import type { World } from "./world.ts";

export type Claim =
  | { readonly kind: "job"; readonly job: Job; readonly payload: Record<string, unknown> }
  | { readonly kind: "none" }
  | { readonly kind: "conflict" };

export interface Claimant {
  readonly runner: Runner;
  readonly manager: Manager;
  /** Of this very request: what a manager said earlier does not count here. */
  readonly features: Params;
}

export function claim(world: World, site: Site, claimant: Claimant): Claim {
  const { runner, manager, features } = claimant;
  for (;;) {
    const waiting = [...world.jobs.values()].filter(
      (job) => job.status === "pending" && suits(runner, job),
    );
    const [job] = waiting.toSorted((a, b) => (a.queuedAt ?? 0) - (b.queuedAt ?? 0) || a.id - b.id);
    if (job === undefined) return { kind: "none" };
    if (world.racesToLose > 0) {
      world.racesToLose -= 1;
      return { kind: "conflict" };
    }
    const obstacle = obstacleTo(job, features, world.now());
    if (obstacle !== undefined) {
      drop(world, job, obstacle);
      continue;
    }
    const running = runningOnInstanceRunners(world, job);
    start(world, job, runner.id, manager.systemId);
    const payload = jobPayload(job, {
      site,
      runner,
      now: world.now(),
      queueSize: waiting.length,
      running,
    });
    return { kind: "job", job, payload };
  }
}

function suits(runner: Runner, job: Job): boolean {
  const { settings } = runner;
  const { project } = job.pipeline;
  if (settings.type === "project_type" && settings.projectId !== project.id) return false;
  const { tags } = job.spec;
  if (tags.length === 0) return settings.runUntagged;
  return tags.every((tag) => settings.tags.includes(tag));
}

function runningOnInstanceRunners(world: World, job: Job): number {
  return [...world.jobs.values()].filter(
    (other) =>
      executing(other.status) &&
      other.pipeline.project === job.pipeline.project &&
      world.runnerOf(other)?.settings.type === "instance_type",
  ).length;
}

/** Why the job must fail instead of being handed to this runner. */
function obstacleTo(job: Job, features: Params, now: number): string | undefined {
  if (!dependenciesAlive(job, now)) return "missing_dependency_failure";
  const lacking = neededFeatures(job).some((feature) => features[feature] !== true);
  return lacking ? "runner_unsupported" : undefined;
}

/** The features of a runner without which this job would not mean what its author wrote. */
export function neededFeatures(job: Job): string[] {
  const { spec } = job;
  const payload = { ...spec.payload, ...job.overrides };
  const artifacts = records(payload.artifacts);
  const exits = typeof spec.allowFailure !== "boolean" || spec.retry.exitCodes.length > 0;
  const builtIn = new Set(["script", "after_script"]);
  const needed: [string, boolean][] = [
    [
      "upload_multiple_artifacts",
      artifacts.some((artifact) => (artifact["artifact_type"] ?? "archive") !== "archive"),
    ],
    ["artifacts_exclude", artifacts.some((artifact) => filled(artifact["exclude"]))],
    [
      "multi_build_steps",
      records(payload.steps).some((step) => !builtIn.has(String(step["name"]))),
    ],
    ["return_exit_code", exits],
    ["fallback_cache_keys", records(payload.cache).some((cache) => filled(cache["fallback_keys"]))],
    ["vault_secrets", Object.keys(record(job.overrides["secrets"])).length > 0],
  ];
  return needed.filter(([, isNeeded]) => isNeeded).map(([feature]) => feature);
}

function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(record) : [];
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function filled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

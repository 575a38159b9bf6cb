// What a job needs, decided before anything is started: planTask gives a plan that an executor can carry out
// without deciding anything more, or a refusal that a person can act on.

import type { CacheAddress } from "./cache.ts";
import { refuseOptions, unknownOptions } from "./image.ts";
import type { Job } from "./job.ts";
import { planContainers } from "./plan-containers.ts";
import type { ContainersContext, PlanVariables } from "./plan-containers.ts";
import { planLabels } from "./plan-labels.ts";
import type { Refusal } from "./refusal.ts";
import { burstVariables } from "./settings-task.ts";
import type { Settings } from "./settings.ts";
import type { Ignored, TaskPlan } from "./task-plan.ts";

export type PlanContext = {
  readonly variables: PlanVariables;
  /** Where the job's caches lie, as the cache module found. */
  readonly caches?: readonly CacheAddress[];
} & ({ readonly executor: "process" } | ContainersContext);

export type PlannedTask =
  | { readonly kind: "task"; readonly plan: TaskPlan; readonly warnings: readonly string[] }
  | Refusal;

export function planTask(job: Job, settings: Settings, context: PlanContext): PlannedTask {
  const every = planForEvery(job, settings, context);
  if (context.executor === "process") {
    const unknown = unknownOfProcess(job);
    if (unknown !== undefined) return unknown;
    const ignored = ignoredByProcess(job, context.variables);
    return { kind: "task", plan: { ...every, executor: "process", ignored }, warnings: [] };
  }
  const planned = planContainers(job, settings, context);
  if (planned.kind === "refusal") return planned;
  return { kind: "task", plan: { ...every, ...planned.plan }, warnings: planned.warnings };
}

function planForEvery(job: Job, settings: Settings, context: PlanContext) {
  const timeoutSeconds = job.runner_info.timeout;
  const limit = (seconds: number) =>
    seconds > 0 ? Math.min(seconds, timeoutSeconds) : timeoutSeconds;
  return {
    jobId: job.id,
    timeoutSeconds,
    prepareTimeoutSeconds: limit(settings.prepare_timeout),
    getSourcesTimeoutSeconds: limit(settings.get_sources_timeout),
    caches: context.caches ?? [],
    labels: planLabels(job, settings, context.variables),
  };
}

/** Options that no runner knows end a job on every executor. */
function unknownOfProcess(job: Job): Refusal | undefined {
  const all = [
    ["image", job.image.executor_opts] as const,
    ...job.services.map((service) => [`service ${service.name}`, service.executor_opts] as const),
  ];
  for (const [what, options] of all) {
    const unknown = unknownOptions(options);
    if (unknown !== undefined) return refuseOptions(what, unknown);
  }
  return undefined;
}

function ignoredByProcess(job: Job, variables: PlanVariables): readonly Ignored[] {
  const image = variables.expand(job.image.name);
  return [
    ...(image === "" ? [] : [{ kind: "image", name: image } as const]),
    ...job.services.map(({ name }) => ({ kind: "service", name: variables.expand(name) }) as const),
    ...burstVariables
      .filter((name) => variables.get(name) !== "")
      .map((name) => ({ kind: "variable", name }) as const),
  ];
}

/** One line for the job's log, with advice; undefined where nothing is left unused. */
export function ignoredNotice(ignored: readonly Ignored[]): string | undefined {
  if (ignored.length === 0) return undefined;
  const things = ignored.map(({ kind, name }) => (kind === "variable" ? name : `${kind} ${name}`));
  return (
    `Not used by the process executor: ${things.join(", ")}. The script runs in this machine's own shell; ` +
    "for containers run `burst run --executor docker`, or the runner on AWS"
  );
}

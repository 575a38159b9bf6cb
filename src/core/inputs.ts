// Job inputs: `${{ job.inputs.KEY }}` in the job's own texts, put in before anything else is looked at.
// A job without inputs keeps such text as it is: it may have meant something else by it.

import { RunnerError } from "./errors.ts";
import type { ArtifactSpec, CacheSpec, Job, Service, Step } from "./job.ts";
import { fillMoaTemplate } from "./moa-evaluate.ts";
import { moaValue } from "./moa-value.ts";
import type { MoaValue } from "./moa-value.ts";

export type Interpolation =
  | { readonly kind: "job"; readonly job: Job }
  /** To be told as `runner_configuration_error`. */
  | { readonly kind: "failed"; readonly message: string };

/** `enabled` is FF_ENABLE_JOB_INPUTS_INTERPOLATION. */
export function interpolateInputs(job: Job, enabled: boolean): Interpolation {
  if (!enabled || job.inputs.length === 0) return { kind: "job", job };
  try {
    return { kind: "job", job: filled(job, filler(job)) };
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error;
    return { kind: "failed", message: `failed to interpolate job inputs: ${error.message}` };
  }
}

/** Puts inputs into a text; `place` says where the text stands, for whoever has to correct it. */
type Fill = (text: string, place: string) => string;

function filler(job: Job): Fill {
  const inputs = job.inputs.map(({ key, value }): [string, MoaValue] => [
    key,
    moaValue(value.content, value.sensitive),
  ]);
  const names = new Map([["job", object([["inputs", object(inputs)]])]]);
  return (text, place) => {
    try {
      const { text: result, sensitive } = fillMoaTemplate(text, names);
      if (!sensitive) return result;
    } catch (error) {
      if (!(error instanceof RunnerError)) throw error;
      throw new RunnerError(error.reason, `${place}: ${error.message}`, { cause: error });
    }
    const message = `${place}: sensitive inputs cannot be put into a job`;
    throw new RunnerError("runner_configuration_error", message);
  };
}

function object(entries: readonly (readonly [string, MoaValue])[]): MoaValue {
  return { data: new Map(entries), sensitive: false };
}

function filled(job: Job, fill: Fill): Job {
  return {
    ...job,
    steps: job.steps.map((step) => stepOf(step, fill)),
    image: imageOf(job.image, "image", fill),
    services: job.services.map((service, index) =>
      serviceOf(service, `services ${String(index + 1)}`, fill),
    ),
    artifacts: job.artifacts.map((artifact, index) =>
      artifactOf(artifact, `artifacts ${String(index + 1)}`, fill),
    ),
    cache: job.cache.map((cache, index) => cacheOf(cache, `cache ${String(index + 1)}`, fill)),
  };
}

function stepOf(step: Step, fill: Fill): Step {
  return { ...step, script: list(step.script, `${step.name} line`, fill) };
}

type Image = Job["image"];

function imageOf<T extends Image>(image: T, place: string, fill: Fill): T {
  return {
    ...image,
    name: fill(image.name, `${place}: name`),
    entrypoint: image.entrypoint && list(image.entrypoint, `${place}: entrypoint`, fill),
    pull_policy: list(image.pull_policy, `${place}: pull_policy`, fill),
    executor_opts: strings(image.executor_opts, `${place}: executor_opts`, fill),
  };
}

function serviceOf(service: Service, place: string, fill: Fill): Service {
  return {
    ...imageOf(service, place, fill),
    command: service.command && list(service.command, `${place}: command`, fill),
  };
}

function artifactOf(artifact: ArtifactSpec, place: string, fill: Fill): ArtifactSpec {
  return {
    ...artifact,
    name: fill(artifact.name, `${place}: name`),
    paths: list(artifact.paths, `${place}: paths`, fill),
    exclude: list(artifact.exclude, `${place}: exclude`, fill),
    expire_in: fill(artifact.expire_in, `${place}: expire_in`),
  };
}

function cacheOf(cache: CacheSpec, place: string, fill: Fill): CacheSpec {
  return {
    ...cache,
    key: fill(cache.key, `${place}: key`),
    policy: fill(cache.policy, `${place}: policy`),
    paths: list(cache.paths, `${place}: paths`, fill),
    when: fill(cache.when, `${place}: when`),
    fallback_keys: list(cache.fallback_keys, `${place}: fallback_keys`, fill),
  };
}

function list(texts: readonly string[], place: string, fill: Fill): string[] {
  return texts.map((text, index) => fill(text, `${place} ${String(index + 1)}`));
}

/** Every string in a value of whatever shape. */
function strings<T>(value: T, place: string, fill: Fill): T;
function strings(value: unknown, place: string, fill: Fill): unknown {
  if (typeof value === "string") return fill(value, place);
  if (Array.isArray(value)) return value.map((item) => strings(item, place, fill));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, strings(item, place, fill)]),
  );
}

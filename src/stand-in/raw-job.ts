// A single job without a pipeline file, for tests that care about one thing in the payload.

import type {
  CompiledJob,
  CompiledRetry,
  JobWhen,
  WireArtifact,
  WireCache,
  WireHook,
  WireImage,
  WireService,
  WireVariable,
} from "./pipeline/types.ts";
import { variable } from "./variables.ts";

export interface RawJob {
  /** Number or path; the first project when left out. */
  readonly project?: number | string;
  readonly name?: string;
  readonly stage?: string;
  readonly script?: readonly string[];
  readonly afterScript?: readonly string[];
  readonly variables?: Readonly<Record<string, string>> | readonly WireVariable[];
  readonly hooks?: readonly WireHook[];
  readonly image?: WireImage | null;
  readonly services?: readonly WireService[] | null;
  readonly artifacts?: readonly Partial<WireArtifact>[] | null;
  readonly cache?: readonly Partial<WireCache>[] | null;
  readonly when?: JobWhen;
  readonly allowFailure?: boolean | { readonly exitCodes: readonly number[] };
  readonly retry?: Partial<CompiledRetry>;
  readonly timeoutSeconds?: number;
  readonly tags?: readonly string[];
  /** Put over the payload as they are, whatever they are. */
  readonly payload?: Readonly<Record<string, unknown>>;
}

export function rawSpec(raw: RawJob): CompiledJob {
  const step = { timeout: 0 };
  const script = {
    ...step,
    name: "script",
    script: raw.script ?? ["true"],
    when: "on_success",
    allow_failure: false,
  } as const;
  const after = {
    ...step,
    name: "after_script",
    script: raw.afterScript ?? [],
    when: "always",
    allow_failure: true,
  } as const;
  return {
    name: raw.name ?? "job",
    stage: raw.stage ?? "test",
    when: raw.when ?? "on_success",
    allowFailure: raw.allowFailure ?? raw.when === "manual",
    retry: { max: 0, when: ["always"], exitCodes: [], ...raw.retry },
    timeoutSeconds: raw.timeoutSeconds,
    tags: raw.tags ?? [],
    needs: undefined,
    dependencies: undefined,
    payload: {
      variables: variablesOf(raw.variables),
      steps: raw.afterScript === undefined ? [script] : [script, after],
      hooks: raw.hooks ?? [],
      image: raw.image ?? null,
      services: raw.services ?? null,
      artifacts: raw.artifacts?.map((artifact) => ({ ...plainArtifact, ...artifact })) ?? null,
      cache: raw.cache?.map((cache) => ({ ...plainCache, ...cache })) ?? null,
    },
  };
}

const plainArtifact: WireArtifact = {
  name: null,
  untracked: false,
  paths: [],
  exclude: [],
  when: "on_success",
  expire_in: null,
  artifact_type: "archive",
  artifact_format: "zip",
};

const plainCache: WireCache = {
  key: "default-protected",
  untracked: false,
  policy: "pull-push",
  paths: [],
  when: "on_success",
  fallback_keys: [],
};

function isList(value: RawJob["variables"]): value is readonly WireVariable[] {
  return Array.isArray(value);
}

function variablesOf(given: RawJob["variables"]): readonly WireVariable[] {
  if (isList(given)) return given;
  return Object.entries(given ?? {}).map(([key, value]) => variable(key, value));
}

// The job payload of `POST /jobs/request` (201), parsed once at the edge. Field names are GitLab's.
// Any object or list may be null or absent, unknown fields are ignored, and whatever opens a door
// (tokens, passwords, variable values) is a Secret from here on.

import * as z from "zod";
import { Secret } from "./secret.ts";

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");
const secret = z
  .string()
  .nullish()
  .transform((value) => new Secret(value ?? ""));
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
const whole = z
  .number()
  .int()
  .nullish()
  .transform((value) => value ?? 0);

function list<T extends z.ZodType>(item: T) {
  return z
    .array(item)
    .nullish()
    .transform((value): z.output<T>[] => value ?? []);
}

/** An object whose absence or null means "all fields at their defaults". */
function object<T extends z.ZodRawShape>(shape: T) {
  return z.preprocess((value) => value ?? {}, z.object(shape));
}

const variable = z.object({
  key: z.string(),
  value: secret,
  public: flag,
  masked: flag,
  file: flag,
  raw: flag,
});

const step = z.object({
  name: z.string(),
  script: list(z.string()),
  timeout: whole,
  when: text,
  allow_failure: flag,
});

// Loose: a key that no runner knows must be seen, to be refused.
const executorOptions = z
  .looseObject({
    docker: z
      .looseObject({
        platform: text,
        user: z
          .union([z.string(), z.number()])
          .nullish()
          .transform((value) => (value === null || value === undefined ? "" : String(value))),
      })
      .nullish(),
    kubernetes: z.looseObject({}).nullish(),
  })
  .nullish();

const image = {
  name: text,
  entrypoint: z
    .array(z.string())
    .nullish()
    .transform((value) => value ?? undefined),
  ports: list(
    z.object({
      number: whole,
      protocol: text,
      name: text,
    }),
  ),
  executor_opts: executorOptions,
  pull_policy: list(z.string()),
};

const service = z.object({
  ...image,
  name: z.string(),
  alias: text,
  command: z
    .array(z.string())
    .nullish()
    .transform((value) => value ?? undefined),
  variables: list(variable),
});

const artifact = z.object({
  name: text,
  untracked: flag,
  paths: list(z.string()),
  exclude: list(z.string()),
  when: z
    .enum(["", "on_success", "on_failure", "always"])
    .nullish()
    .transform((value): "on_success" | "on_failure" | "always" => value || "on_success"),
  expire_in: text,
  artifact_type: text,
  artifact_format: text,
});

const cache = z.object({
  key: text,
  untracked: flag,
  policy: text,
  paths: list(z.string()),
  when: text,
  fallback_keys: list(z.string()),
});

const dependency = z.object({
  id: z.number().int(),
  name: text,
  token: secret,
  artifacts_file: z
    .object({ filename: text, size: whole })
    .nullish()
    .transform((value) => value ?? undefined),
});

const input = z.object({
  key: z.string().min(1, "an input needs a key"),
  value: z.discriminatedUnion("type", [
    z.object({ type: z.literal("string"), content: z.string(), sensitive: flag }),
    z.object({ type: z.literal("number"), content: z.number(), sensitive: flag }),
    z.object({ type: z.literal("boolean"), content: z.boolean(), sensitive: flag }),
    z.object({ type: z.literal("array"), content: z.array(z.unknown()), sensitive: flag }),
    z.object({
      type: z.literal("struct"),
      content: z.record(z.string(), z.unknown()),
      sensitive: flag,
    }),
  ]),
});

const payload = z.object({
  id: z.number().int(),
  token: z.string().transform((value) => new Secret(value)),
  allow_git_fetch: flag,
  job_info: object({
    id: whole,
    name: text,
    stage: text,
    pipeline_id: whole,
    project_id: whole,
    project_name: text,
    project_full_path: text,
    namespace_id: whole,
    user_id: whole,
    time_in_queue_seconds: z
      .number()
      .nullish()
      .transform((value) => value ?? 0),
    project_jobs_running_on_instance_runners_count: text,
  }),
  git_info: object({
    repo_url: secret,
    repo_object_format: text,
    ref: text,
    sha: text,
    before_sha: text,
    ref_type: text,
    refspecs: list(z.string()),
    depth: whole,
    protected: flag,
  }),
  runner_info: object({
    timeout: z
      .number()
      .int()
      .nullish()
      .transform((value) => (value === null || value === undefined || value <= 0 ? 7200 : value)),
  }),
  inputs: list(input),
  variables: list(variable),
  steps: list(step),
  /** CI steps: a JSON text within the JSON. */
  run: text,
  hooks: list(z.object({ name: z.string(), script: list(z.string()) })),
  image: object(image),
  services: list(service),
  artifacts: list(artifact),
  cache: list(cache),
  credentials: list(z.object({ type: text, url: text, username: text, password: secret })),
  dependencies: list(dependency),
  features: object({
    trace_sections: flag,
    token_mask_prefixes: list(z.string()),
    failure_reasons: list(z.string()),
  }),
  secrets: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((value) => value ?? {}),
});

export const jobSchema = payload.superRefine((job, context) => {
  if (job.run === "") return;
  const complain = (message: string) => {
    context.addIssue({ code: "custom", path: ["run"], message });
  };
  if (job.steps.length > 0) complain("a job has either run or script, not both");
  if (!isJsonArray(job.run)) complain("expected a JSON text that holds an array of steps");
});

function isJsonArray(text: string): boolean {
  try {
    return Array.isArray(JSON.parse(text));
  } catch {
    return false;
  }
}

export type Job = z.output<typeof jobSchema>;
export type Variable = z.output<typeof variable>;
export type Step = z.output<typeof step>;
export type Service = z.output<typeof service>;
export type ArtifactSpec = z.output<typeof artifact>;
export type CacheSpec = z.output<typeof cache>;
export type Dependency = z.output<typeof dependency>;

export type ParsedJob =
  | { readonly kind: "job"; readonly job: Job }
  | { readonly kind: "invalid"; readonly message: string };

/** Reads a payload. A refusal names the path in it and what was expected there, never a value. */
export function parseJob(payload: unknown): ParsedJob {
  const parsed = jobSchema.safeParse(payload);
  if (parsed.success) return { kind: "job", job: parsed.data };
  const complaints = parsed.error.issues.map(
    (issue) => `${issue.path.join(".") || "(the payload)"}: ${issue.message}`,
  );
  return { kind: "invalid", message: complaints.join("; ") };
}

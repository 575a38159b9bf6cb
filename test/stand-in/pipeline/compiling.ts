// Short ways to compile a snippet and look at one thing of the outcome.

import { compilePipeline } from "../../../src/stand-in/pipeline/compile.ts";
import type {
  CompiledJob,
  CompiledPipeline,
  PipelineInput,
} from "../../../src/stand-in/pipeline/types.ts";

export function compile(yaml: string, over: Partial<PipelineInput> = {}): CompiledPipeline {
  return compilePipeline({
    yaml,
    file: ".gitlab-ci.yml",
    ref: { name: "main", kind: "branch" },
    variables: { CI_COMMIT_BRANCH: "main" },
    ...over,
  });
}

/** The jobs of a snippet that must compile. */
export function jobsOf(yaml: string, over: Partial<PipelineInput> = {}): readonly CompiledJob[] {
  const outcome = compile(yaml, over);
  if (outcome.kind === "pipeline") return outcome.jobs;
  throw new Error(JSON.stringify(outcome.errors, undefined, 1));
}

/** The first job of a snippet that must compile. */
export function jobOf(yaml: string, over: Partial<PipelineInput> = {}): CompiledJob {
  const job = jobsOf(yaml, over)[0];
  if (job) return job;
  throw new Error("there is no job");
}

export function namesOf(yaml: string, over: Partial<PipelineInput> = {}): readonly string[] {
  return jobsOf(yaml, over).map((job) => job.name);
}

/** The mistakes of a snippet, as "line keyword: message". */
export function mistakesOf(yaml: string, over: Partial<PipelineInput> = {}): readonly string[] {
  const outcome = compile(yaml, over);
  if (outcome.kind === "pipeline") return [];
  return outcome.errors.map(({ line, keyword, message }) => `${line} ${keyword}: ${message}`);
}

export function warningsOf(yaml: string): readonly string[] {
  const outcome = compile(yaml);
  return outcome.kind === "pipeline" ? outcome.warnings : [];
}

/** The values of a job's variables by name. */
export function valuesOf(job: CompiledJob): Record<string, string> {
  return Object.fromEntries(job.payload.variables.map(({ key, value }) => [key, value]));
}

/** The lines of the job's script, with those of before_script. */
export function scriptOf(job: CompiledJob | undefined): readonly string[] {
  return job?.payload.steps[0]?.script ?? [];
}

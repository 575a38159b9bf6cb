// From a ref to a running pipeline: read the file, compile it, put its jobs in the queue.

import { addPipeline } from "./engine.ts";
import type { Pipeline, Project } from "./model.ts";
import { compilePipeline } from "./pipeline/compile.ts";
import type { Site } from "./variables.ts";
import { pipelineVariables } from "./variables.ts";
import type { World } from "./world.ts";

const pipelineFile = ".gitlab-ci.yml";

export type PipelineRun =
  | {
      readonly kind: "pipeline";
      readonly pipeline: Pipeline;
      readonly warnings: readonly string[];
    }
  | { readonly kind: "invalid"; readonly errors: readonly string[] };

export async function runPipeline(
  world: World,
  site: Site,
  project: Project,
  wanted: { readonly ref: string; readonly variables: Readonly<Record<string, string>> },
): Promise<PipelineRun> {
  const found = project.repository.resolve(wanted.ref);
  if (found === undefined) return invalid("Reference not found");
  const { ref, commit } = found;
  const yaml = await project.repository.readFile(commit.sha, pipelineFile);
  if (yaml === undefined) return invalid(`Missing CI config file: ${pipelineFile} at ${ref.name}`);
  const compiled = compilePipeline({
    yaml,
    file: pipelineFile,
    ref,
    variables: pipelineVariables(site, project, { ref, commit }, wanted.variables),
    readFile: (path) => project.repository.readFileSync(commit.sha, path),
  });
  if (compiled.kind === "invalid") {
    return invalid(
      ...compiled.errors.map(({ line, message }) => `line ${String(line)}: ${message}`),
    );
  }
  const { stages, jobs, warnings } = compiled;
  if (jobs.length === 0) {
    return invalid(
      "Pipeline will not run for the selected trigger. The rules configuration prevented any jobs from being added to the pipeline.",
    );
  }
  const pipeline = await addPipeline(world, {
    project,
    ref,
    commit,
    variables: wanted.variables,
    stages,
    jobs,
  });
  return { kind: "pipeline", pipeline, warnings };
}

function invalid(...errors: string[]): PipelineRun {
  return { kind: "invalid", errors };
}

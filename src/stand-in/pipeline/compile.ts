// From the text of a .gitlab-ci.yml to jobs whose payload is in the shape of the wire; or everything
// that is wrong with it, at once. Pure but for `readFile`.

import { readDocument } from "./document.ts";
import { resolveExtends } from "./extends.ts";
import { readFileKeywords } from "./file.ts";
import { Graph } from "./graph.ts";
import type { Links } from "./graph.ts";
import { resolveIncludes } from "./include.ts";
import type { JobDraft } from "./job.ts";
import { Mistakes } from "./mistakes.ts";
import { resolveReferences } from "./references.ts";
import { seedJobs } from "./seed.ts";
import { FIRST_STAGE, LAST_STAGE } from "./stages.ts";
import type { CompiledJob, CompiledPipeline, PipelineInput } from "./types.ts";

interface LinkedDraft {
  readonly draft: JobDraft;
  readonly links: Links;
}

export function compilePipeline(input: PipelineInput): CompiledPipeline {
  const mistakes = new Mistakes(input.file);
  const document = readDocument(input.yaml, input.file, mistakes);
  if (!document) return { kind: "invalid", errors: mistakes.list() };
  const included = resolveIncludes(document, input.readFile, mistakes);
  const root = resolveExtends(resolveReferences(included, mistakes), mistakes);
  const file = readFileKeywords(root, input, mistakes);
  const graph = new Graph(file.jobs, file.stages, mistakes);
  const linked = file.jobs.map((draft) => ({ draft, links: graph.linksOf(draft) }));
  if (mistakes.count > 0) return { kind: "invalid", errors: mistakes.list() };
  const jobs = seedPipeline(linked, input, mistakes);
  if (mistakes.count > 0) return { kind: "invalid", errors: mistakes.list() };
  const stages = file.stages.filter((stage) => jobs.some((job) => job.stage === stage));
  return { kind: "pipeline", stages, jobs, warnings: mistakes.warnings() };
}

/** The jobs that rules let in; what they need must be in as well. */
function seedPipeline(
  linked: readonly LinkedDraft[],
  input: PipelineInput,
  mistakes: Mistakes,
): readonly CompiledJob[] {
  const seeded = linked.map(({ draft, links }) => ({
    draft,
    jobs: seedJobs(draft, links, input.variables),
  }));
  const names = new Set(seeded.flatMap(({ jobs }) => jobs.map((job) => job.name)));
  const result = seeded.flatMap(({ draft, jobs }) =>
    jobs.map((job) => keepPresent(job, draft, names, mistakes)),
  );
  if (result.every(({ stage }) => stage === FIRST_STAGE || stage === LAST_STAGE)) {
    const message =
      result.length === 0
        ? "The pipeline has no jobs: the rules of every job leave it out."
        : `The pipeline has jobs only in ${FIRST_STAGE} and ${LAST_STAGE}; it needs one between them.`;
    mistakes.report({ file: input.file, line: 1 }, "rules", message);
  }
  return result;
}

/** Links to jobs that are not in this pipeline are dropped; a need that is not optional is refused. */
function keepPresent(
  job: CompiledJob,
  draft: JobDraft,
  names: ReadonlySet<string>,
  mistakes: Mistakes,
): CompiledJob {
  const needs = job.needs?.filter((need) => {
    if (names.has(need.job)) return true;
    if (need.optional) return false;
    const message = `"${job.name}" needs "${need.job}", which its rules leave out of this pipeline; write optional: true at the need, or let the rules agree.`;
    mistakes.report(draft.at, "needs", message);
    return false;
  });
  return { ...job, needs, dependencies: job.dependencies?.filter((name) => names.has(name)) };
}

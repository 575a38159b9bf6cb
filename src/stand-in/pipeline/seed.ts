// From a job as read to the jobs of this pipeline: parts of `parallel`, each with its rules decided.

import type { Links } from "./graph.ts";
import type { JobDraft } from "./job.ts";
import type { Part } from "./parallel.ts";
import { firstMatch } from "./rules.ts";
import type { Rule } from "./rules.ts";
import type { CompiledJob } from "./types.ts";
import { NO_VARIABLES } from "./variables.ts";
import type { Variables } from "./variables.ts";

/** The job's parts that the rules let in. `outside` are variables that win over the file's. */
export function seedJobs(
  draft: JobDraft,
  links: Links,
  outside: Readonly<Record<string, string>>,
): readonly CompiledJob[] {
  const whole: Part = { name: draft.name, variables: NO_VARIABLES };
  const parts = draft.parts ?? [whole];
  return parts.flatMap((part, index) => {
    const position = draft.parts && { index: index + 1, total: parts.length };
    return seedPart(draft, part, position, links, outside) ?? [];
  });
}

function seedPart(
  draft: JobDraft,
  part: Part,
  position: CompiledJob["parallel"],
  links: Links,
  outside: Readonly<Record<string, string>>,
): CompiledJob | undefined {
  const variables = new Map([...draft.variables, ...part.variables]);
  const known = { ...jobVariables(draft, part, position), ...outside };
  const lookup = lookupIn(variables, known);
  const rule = draft.rules && firstMatch(draft.rules, lookup);
  if (draft.rules && !rule) return undefined;
  const when = rule?.when ?? draft.when;
  if (when === "never") return undefined;
  const merged = new Map([...variables, ...(rule?.variables ?? [])]);
  return {
    name: part.name,
    stage: draft.stage,
    when,
    allowFailure: allowFailure(draft, rule),
    retry: draft.retry,
    timeoutSeconds: draft.timeoutSeconds,
    tags: draft.tags.map((tag) => expandKnown(tag, lookupIn(merged, known))),
    needs: links.needs,
    dependencies: links.dependencies,
    ...(position && { parallel: position }),
    payload: { variables: [...merged.values()], ...draft.payload },
  };
}

/** What a rule says wins. A job that is manual by itself may fail; one made manual by a rule may not. */
function allowFailure(draft: JobDraft, rule: Rule | undefined): CompiledJob["allowFailure"] {
  return rule?.allowFailure ?? draft.allowFailure ?? draft.when === "manual";
}

export function lookupIn(
  variables: Variables,
  outside: Readonly<Record<string, string>>,
): (name: string) => string | undefined {
  return (name) => (Object.hasOwn(outside, name) ? outside[name] : variables.get(name)?.value);
}

/** Tags may hold variables; one that nobody knows stays as it is. */
function expandKnown(text: string, lookup: (name: string) => string | undefined): string {
  return text.replace(
    /\$(?:(?<name>\w+)|\{(?<braced>\w+)\})/g,
    (whole, name: string | undefined, braced: string | undefined) =>
      lookup(name ?? braced ?? "") ?? whole,
  );
}

/** What rules and tags may ask about the job itself; the server gives it to the runner. */
function jobVariables(
  draft: JobDraft,
  part: Part,
  position: CompiledJob["parallel"],
): Readonly<Record<string, string>> {
  return {
    CI_JOB_NAME: part.name,
    CI_JOB_STAGE: draft.stage,
    CI_NODE_TOTAL: String(position?.total ?? 1),
    ...(position && { CI_NODE_INDEX: String(position.index) }),
  };
}

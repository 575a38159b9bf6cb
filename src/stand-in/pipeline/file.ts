// The top level of the file: its own keywords, and the jobs beside them.

import { readJob } from "./job.ts";
import type { JobContext, JobDraft } from "./job.ts";
import {
  DEFAULT_KEYWORDS,
  FILE_KEYWORDS,
  JOB_KEYWORDS,
  OLD_DEFAULT_KEYWORDS,
  REFUSED_IN_FILE,
  REFUSED_IN_JOB,
} from "./keywords.ts";
import type { Mistakes } from "./mistakes.ts";
import { nearest } from "./nearest.ts";
import { isNull } from "./node.ts";
import type { Entry, MapNode } from "./node.ts";
import { readMap } from "./read.ts";
import { firstMatch } from "./rules.ts";
import { lookupIn } from "./seed.ts";
import { readStages } from "./stages.ts";
import type { PipelineInput } from "./types.ts";
import { NO_VARIABLES, readVariables } from "./variables.ts";
import type { Variables } from "./variables.ts";
import { readWorkflow } from "./workflow.ts";

export interface PipelineFile {
  readonly stages: readonly string[];
  readonly jobs: readonly JobDraft[];
}

const TOP_LEVEL: readonly string[] = [...FILE_KEYWORDS, ...OLD_DEFAULT_KEYWORDS];

const NOT_A_DEFAULT: Readonly<Record<string, string>> = {
  ...REFUSED_IN_JOB,
  ...Object.fromEntries(
    JOB_KEYWORDS.filter((keyword) => !DEFAULT_KEYWORDS.some((each) => each === keyword)).map(
      (keyword) => [keyword, "it has no default; write it in each job, or in a job to extend."],
    ),
  ),
  variables: "write them at the top level of the file.",
};

export function readFileKeywords(
  root: MapNode,
  input: PipelineInput,
  mistakes: Mistakes,
): PipelineFile {
  const stages = readStages(given(root, "stages"), mistakes);
  const context: JobContext = {
    mistakes,
    stages,
    defaults: readDefaults(root, mistakes),
    fileVariables: readFileVariables(root, input, mistakes),
    cache: {
      protectedRef: input.variables["CI_COMMIT_REF_PROTECTED"] === "true",
      readFile: input.readFile,
    },
  };
  const jobs = [...root.entries.values()].flatMap((entry) =>
    isJob(entry, mistakes) ? [readJob(entry, context)] : [],
  );
  if (jobs.length === 0 && mistakes.count === 0)
    mistakes.report(root.at, "job", "The file has no job; it needs at least one with a script.");
  return { stages, jobs };
}

function isJob(entry: Entry, mistakes: Mistakes): entry is Entry & { readonly value: MapNode } {
  const { key, value, at } = entry;
  if (TOP_LEVEL.includes(key) || key.startsWith(".") || value.at.broken) return false;
  const refused = REFUSED_IN_FILE[key];
  if (refused !== undefined) {
    mistakes.report(at, key, `${key} is not supported here: ${refused}`);
    return false;
  }
  if (value.kind === "map") {
    const guess = value.entries.has("script") ? undefined : nearest(key, TOP_LEVEL);
    if (guess === undefined) return true;
    const message = `"${key}" is neither a keyword nor a job with a script. Did you mean "${guess}"?`;
    mistakes.report(at, key, message);
    return false;
  }
  mistakes.report(at, key, `"${key}" is neither a keyword of the file nor a job.${hintFor(key)}`);
  return false;
}

function hintFor(key: string): string {
  const inJob = [...JOB_KEYWORDS, ...Object.keys(REFUSED_IN_JOB)].includes(key);
  const inDefault = DEFAULT_KEYWORDS.some((each) => each === key);
  if (inJob) return ` It belongs into a job${inDefault ? " or into default" : ""}.`;
  const guess = nearest(key, TOP_LEVEL);
  return guess === undefined
    ? ` Keywords are: ${TOP_LEVEL.join(", ")}; a job is a map with a script.`
    : ` Did you mean "${guess}"?`;
}

/** A keyword with nothing behind it counts as not written. */
function given(root: MapNode, keyword: string): Entry | undefined {
  const entry = root.entries.get(keyword);
  return entry && !isNull(entry.value) ? entry : undefined;
}

/** Entries of `default`, and of the same keywords at the top level, where GitLab once had them. */
function readDefaults(root: MapNode, mistakes: Mistakes): ReadonlyMap<string, Entry> {
  const defaults = new Map<string, Entry>();
  const entry = given(root, "default");
  const known = { supported: DEFAULT_KEYWORDS, refused: NOT_A_DEFAULT };
  const fields = entry && readMap(entry.value, "default", known, mistakes);
  for (const field of fields?.values() ?? [])
    if (!isNull(field.value)) defaults.set(field.key, field);
  for (const keyword of OLD_DEFAULT_KEYWORDS) {
    const old = given(root, keyword);
    if (!old) continue;
    if (defaults.has(keyword)) {
      const message = `${keyword} is given both at the top level and in default; keep the one in default.`;
      mistakes.report(old.at, keyword, message);
    }
    defaults.set(keyword, old);
  }
  return defaults;
}

/** The file's variables with those of the matching rule of `workflow`; none may match, which is said. */
function readFileVariables(root: MapNode, input: PipelineInput, mistakes: Mistakes): Variables {
  const entry = given(root, "variables");
  const variables = entry ? readVariables(entry.value, "file", mistakes) : NO_VARIABLES;
  const workflow = given(root, "workflow");
  const rules = readWorkflow(workflow, mistakes);
  if (!workflow || !rules) return variables;
  const rule = firstMatch(rules, lookupIn(variables, input.variables));
  if (!rule || rule.when === "never") {
    const message = `There is no pipeline for the ${input.ref.kind} ${input.ref.name}: no rule of workflow:rules lets it in.`;
    mistakes.report(workflow.at, "workflow:rules", message);
    return variables;
  }
  return new Map([...variables, ...rule.variables]);
}

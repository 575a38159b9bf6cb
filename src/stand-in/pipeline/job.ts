// One job of the file, read: everything that does not depend on rules or on other jobs.

import { readArtifacts } from "./artifacts.ts";
import { readCaches } from "./cache.ts";
import type { CacheContext } from "./cache.ts";
import { durationSeconds } from "./duration.ts";
import { readImage, readServices } from "./image.ts";
import { readInherit } from "./inherit.ts";
import {
  DEFAULT_KEYWORDS,
  JOB_KEYWORDS,
  REFUSED_IN_JOB,
  RESERVED_NAMES,
  WITHOUT_EFFECT,
} from "./keywords.ts";
import type { Mistakes } from "./mistakes.ts";
import { readDependencies, readNeeds } from "./needs.ts";
import type { DependencyDraft, NeedDraft } from "./needs.ts";
import { nearest } from "./nearest.ts";
import { isNull } from "./node.ts";
import type { Entry, MapNode, Node, Position } from "./node.ts";
import { readParallel } from "./parallel.ts";
import type { Part } from "./parallel.ts";
import { checkKeys, readChoice, readString, readStrings } from "./read.ts";
import { NO_RETRY, readAllowFailure, readRetry } from "./retry.ts";
import { DELAYED, readRules } from "./rules.ts";
import type { Rule } from "./rules.ts";
import { readHooks, readScript } from "./script.ts";
import type { CompiledJob, CompiledRetry, JobPayload, JobWhen, WireStep } from "./types.ts";
import { readVariables } from "./variables.ts";
import type { Variables } from "./variables.ts";

export interface JobContext {
  readonly mistakes: Mistakes;
  readonly stages: readonly string[];
  readonly defaults: ReadonlyMap<string, Entry>;
  readonly fileVariables: Variables;
  readonly cache: CacheContext;
}

export interface JobDraft {
  readonly name: string;
  readonly at: Position;
  readonly stage: string;
  readonly when: JobWhen;
  /** Undefined: nothing said; only a manual job may then fail. */
  readonly allowFailure: CompiledJob["allowFailure"] | undefined;
  readonly rules: readonly Rule[] | undefined;
  readonly retry: CompiledRetry;
  readonly timeoutSeconds: number | undefined;
  readonly tags: readonly string[];
  readonly needs: readonly NeedDraft[] | undefined;
  readonly dependencies: readonly DependencyDraft[] | undefined;
  readonly parts: readonly Part[] | undefined;
  readonly variables: Variables;
  readonly payload: Omit<JobPayload, "variables">;
}

type Read = <T>(
  keyword: string,
  reader: (node: Node, mistakes: Mistakes, keyword: string) => T,
) => T | undefined;

const WHENS = ["on_success", "on_failure", "always", "manual"] as const;
const LONGEST_NAME = 255;
const MOST_TAGS = 50;
const LONGEST_TIMEOUT_SECONDS = 30 * 86_400;

export function readJob(entry: Entry & { readonly value: MapNode }, context: JobContext): JobDraft {
  const { mistakes } = context;
  checkName(entry, mistakes);
  const known = { supported: JOB_KEYWORDS, refused: REFUSED_IN_JOB, title: "a job" };
  checkKeys(entry.value, "", known, mistakes);
  const own = new Map([...entry.value.entries].filter(([, each]) => !isNull(each.value)));
  const inherit = readInherit(own.get("inherit"), DEFAULT_KEYWORDS, mistakes);
  const inherited = [...context.defaults].filter(([key]) => inherit.takesDefault(key));
  const entries = new Map([...inherited, ...own]);
  warnWithoutEffect(entries, mistakes);
  const read: Read = (keyword, reader) => {
    const found = entries.get(keyword);
    return found && reader(found.value, mistakes, keyword);
  };
  const timeoutSeconds = read("timeout", readTimeout);
  const fileVariables = [...context.fileVariables].filter(([key]) => inherit.takesVariable(key));
  const jobVariables = read("variables", (node) => readVariables(node, "job", mistakes)) ?? [];
  return {
    name: entry.key,
    at: entry.at,
    stage: read("stage", (node) => readStage(node, context)) ?? "test",
    when: read("when", readWhen) ?? "on_success",
    allowFailure: read("allow_failure", readAllowFailure),
    rules: read("rules", (node) => readRules(node, "job", mistakes)),
    retry: read("retry", readRetry) ?? NO_RETRY,
    timeoutSeconds,
    tags: read("tags", readTags) ?? [],
    needs: read("needs", readNeeds),
    dependencies: read("dependencies", readDependencies),
    parts: read("parallel", (node) => readParallel(node, entry.key, mistakes)),
    variables: new Map([...fileVariables, ...jobVariables]),
    payload: {
      steps: readSteps(entry, read, timeoutSeconds ?? 0, mistakes),
      hooks: read("hooks", readHooks) ?? [],
      image: read("image", readImage) ?? null,
      services: read("services", readServices) ?? null,
      artifacts: read("artifacts", readArtifacts) ?? null,
      cache: read("cache", (node) => readCaches(node, context.cache, mistakes)) ?? null,
    },
  };
}

/** Not where another way to say what to do is refused already, or where extends failed. */
function reportNoScript(entry: Entry & { readonly value: MapNode }, mistakes: Mistakes): void {
  if (["trigger", "run", "extends"].some((keyword) => entry.value.entries.has(keyword))) return;
  const message = `The job "${entry.key}" has no script; every job needs one.`;
  mistakes.report(entry.at, "script", message);
}

function isBlank(node: Node): boolean {
  if (node.kind === "list") return node.items.every(isBlank);
  return isNull(node) || (node.kind === "scalar" && node.value === "");
}

function checkName(entry: Entry, mistakes: Mistakes): void {
  if (entry.key.trim() === "") mistakes.report(entry.at, "job", "A job's name is empty.");
  if (entry.key.length > LONGEST_NAME) {
    const message = `The job's name has ${entry.key.length} characters; GitLab allows ${LONGEST_NAME}.`;
    mistakes.report(entry.at, entry.key, message);
  }
  if (!RESERVED_NAMES.includes(entry.key)) return;
  const message = `No job may have the name "${entry.key}": GitLab keeps it for itself.`;
  mistakes.report(entry.at, entry.key, message);
}

function warnWithoutEffect(entries: ReadonlyMap<string, Entry>, mistakes: Mistakes): void {
  for (const [keyword, reason] of Object.entries(WITHOUT_EFFECT)) {
    const entry = entries.get(keyword);
    if (entry) mistakes.warn(entry.at, keyword, `it is accepted and ignored: ${reason}`);
  }
}

function readStage(node: Node, { stages, mistakes }: JobContext): string | undefined {
  const stage = readString(node, "stage", mistakes);
  if (stage === undefined || stages.includes(stage)) return stage;
  const guess = nearest(stage, stages);
  const hint = guess === undefined ? "" : ` Did you mean "${guess}"?`;
  const message = `There is no stage "${stage}".${hint} The stages are: ${stages.join(", ")}.`;
  mistakes.report(node.at, "stage", message);
  return undefined;
}

function readWhen(node: Node, mistakes: Mistakes): JobWhen | undefined {
  if (node.kind === "scalar" && node.value === "delayed") {
    mistakes.report(node.at, "when", `when: delayed is not supported here: ${DELAYED}`);
    return undefined;
  }
  if (node.kind === "scalar" && node.value === "never") {
    mistakes.report(node.at, "when", "when: never only has a meaning in a rule of rules.");
    return undefined;
  }
  return readChoice(node, "when", WHENS, mistakes);
}

function readTimeout(node: Node, mistakes: Mistakes): number | undefined {
  const text = readString(node, "timeout", mistakes);
  const seconds = text === undefined ? undefined : durationSeconds(text);
  if (text === undefined) return undefined;
  if (seconds !== undefined && seconds > 0 && seconds <= LONGEST_TIMEOUT_SECONDS) return seconds;
  const message = `timeout must be a time of up to a month, like "1h 30m" or "90 minutes", not "${text}".`;
  mistakes.report(node.at, "timeout", message);
  return undefined;
}

function readTags(node: Node, mistakes: Mistakes): readonly string[] {
  const tags = readStrings(node, "tags", mistakes);
  if (tags.length > MOST_TAGS) {
    const message = `tags lists ${tags.length} tags; GitLab allows ${MOST_TAGS}.`;
    mistakes.report(node.at, "tags", message);
  }
  return [...new Set(tags)];
}

function readSteps(
  entry: Entry & { readonly value: MapNode },
  read: Read,
  timeout: number,
  mistakes: Mistakes,
): WireStep[] {
  const scriptOf = (keyword: string) =>
    read(keyword, (node) => readScript(node, keyword, mistakes));
  const before = scriptOf("before_script") ?? [];
  const script = scriptOf("script");
  const after = scriptOf("after_script");
  if (read("script", isBlank) ?? true) reportNoScript(entry, mistakes);
  return [
    {
      name: "script",
      script: [...before, ...(script ?? [])],
      timeout,
      when: "on_success",
      allow_failure: false,
    },
    ...(after
      ? [
          {
            name: "after_script" as const,
            script: after,
            timeout,
            when: "always" as const,
            allow_failure: true,
          },
        ]
      : []),
  ];
}

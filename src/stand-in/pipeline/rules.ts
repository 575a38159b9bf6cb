// `rules` of a job and of `workflow`: the first rule whose `if` holds decides.

import { parseCondition } from "./expression.ts";
import type { Lookup } from "./expression.ts";
import type { Mistakes } from "./mistakes.ts";
import { describe } from "./node.ts";
import type { Entry, Node } from "./node.ts";
import { readBoolean, readChoice, readMap, readString } from "./read.ts";
import { NO_VARIABLES, readVariables } from "./variables.ts";
import type { Variables } from "./variables.ts";

export type RuleWhen = "on_success" | "on_failure" | "always" | "manual" | "never";

export interface Rule {
  readonly holds: (lookup: Lookup) => boolean;
  readonly when: RuleWhen | undefined;
  readonly allowFailure: boolean | undefined;
  readonly variables: Variables;
}

export const DELAYED =
  "delayed jobs are not supported; write when: manual, or leave when out to run the job at once.";

const JOB_WHENS = ["on_success", "on_failure", "always", "manual", "never"] as const;
const WORKFLOW_WHENS = ["always", "never"] as const;
const DEEPEST = 10;
const REFUSED = {
  changes: "files are not compared with an earlier commit; write an if on a variable.",
  exists: "files are not looked for; write an if on a variable.",
  needs: "a rule cannot change needs; write two jobs.",
  start_in: DELAYED,
  auto_cancel: "no pipeline cancels another one.",
  interruptible:
    "no pipeline makes another one redundant; write it at the job, where it is ignored.",
};

export function readRules(
  node: Node,
  owner: "job" | "workflow",
  mistakes: Mistakes,
): readonly Rule[] {
  const keyword = owner === "job" ? "rules" : "workflow:rules";
  if (node.kind !== "list") {
    const message = `${keyword} must be a list of rules, but is ${describe(node)}.`;
    mistakes.report(node.at, keyword, message);
    return [];
  }
  return flat(node, keyword, 0, mistakes).flatMap(
    (item) => readRule(item, keyword, owner, mistakes) ?? [],
  );
}

/** !reference puts lists into lists. */
function flat(node: Node, keyword: string, level: number, mistakes: Mistakes): readonly Node[] {
  if (node.kind !== "list") return [node];
  if (level <= DEEPEST)
    return node.items.flatMap((item) => flat(item, keyword, level + 1, mistakes));
  mistakes.report(node.at, keyword, `${keyword} is nested more than ${DEEPEST} lists deep.`);
  return [];
}

function readRule(
  node: Node,
  keyword: string,
  owner: "job" | "workflow",
  mistakes: Mistakes,
): Rule | undefined {
  const supported = ["if", "when", "variables", ...(owner === "job" ? ["allow_failure"] : [])];
  const fields = readMap(node, keyword, { supported, refused: REFUSED }, mistakes);
  if (!fields) return undefined;
  if (fields.size === 0) mistakes.report(node.at, keyword, `${keyword} has an empty rule.`);
  const when = fields.get("when");
  const variables = fields.get("variables");
  const allowFailure = fields.get("allow_failure");
  return {
    holds: readIf(fields.get("if"), `${keyword}:if`, mistakes),
    when: when && readWhen(when.value, `${keyword}:when`, owner, mistakes),
    allowFailure:
      allowFailure && readBoolean(allowFailure.value, `${keyword}:allow_failure`, mistakes),
    variables: variables ? readVariables(variables.value, "rule", mistakes) : NO_VARIABLES,
  };
}

function readWhen(
  node: Node,
  keyword: string,
  owner: "job" | "workflow",
  mistakes: Mistakes,
): RuleWhen | undefined {
  if (node.kind === "scalar" && node.value === "delayed") {
    mistakes.report(node.at, keyword, `when: delayed is not supported here: ${DELAYED}`);
    return undefined;
  }
  const choices: readonly RuleWhen[] = owner === "job" ? JOB_WHENS : WORKFLOW_WHENS;
  return readChoice(node, keyword, choices, mistakes);
}

function readIf(
  entry: Entry | undefined,
  keyword: string,
  mistakes: Mistakes,
): (lookup: Lookup) => boolean {
  if (!entry) return () => true;
  const text = readString(entry.value, keyword, mistakes);
  if (text === undefined) return () => false;
  const condition = parseCondition(text);
  if (condition.kind === "condition") return condition.holds;
  mistakes.report(entry.value.at, keyword, `The condition of ${keyword} ${condition.message}.`);
  return () => false;
}

export function firstMatch(rules: readonly Rule[], lookup: Lookup): Rule | undefined {
  return rules.find((rule) => rule.holds(lookup));
}

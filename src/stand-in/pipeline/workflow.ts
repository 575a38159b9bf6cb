// `workflow`: whether there is a pipeline at all, and variables that its rules add.

import type { Mistakes } from "./mistakes.ts";
import type { Entry } from "./node.ts";
import { readMap } from "./read.ts";
import { readRules } from "./rules.ts";
import type { Rule } from "./rules.ts";

/** The rules; undefined when every push makes a pipeline. */
export function readWorkflow(
  entry: Entry | undefined,
  mistakes: Mistakes,
): readonly Rule[] | undefined {
  const known = { supported: ["rules", "name", "auto_cancel"] };
  const fields = entry && readMap(entry.value, "workflow", known, mistakes);
  for (const keyword of ["name", "auto_cancel"]) {
    const field = fields?.get(keyword);
    if (field) mistakes.warn(field.at, `workflow:${keyword}`, "it is accepted and ignored.");
  }
  const rules = fields?.get("rules");
  return rules && readRules(rules.value, "workflow", mistakes);
}

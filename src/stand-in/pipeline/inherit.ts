// `inherit`: which defaults and which variables of the whole file a job takes.

import type { Mistakes } from "./mistakes.ts";
import { describe } from "./node.ts";
import type { Entry } from "./node.ts";
import { readMap, readStrings } from "./read.ts";

export interface Inherit {
  readonly takesDefault: (keyword: string) => boolean;
  readonly takesVariable: (name: string) => boolean;
}

export function readInherit(
  entry: Entry | undefined,
  defaultKeywords: readonly string[],
  mistakes: Mistakes,
): Inherit {
  const known = { supported: ["default", "variables"] };
  const fields = entry && readMap(entry.value, "inherit", known, mistakes);
  const defaults = readFilter(fields?.get("default"), "inherit:default", mistakes);
  const variables = readFilter(fields?.get("variables"), "inherit:variables", mistakes);
  if (typeof defaults !== "boolean" && fields) {
    for (const name of defaults) {
      if (defaultKeywords.includes(name)) continue;
      const at = fields.get("default")?.at ?? entry.at;
      const message = `inherit:default names "${name}"; there are: ${defaultKeywords.join(", ")}.`;
      mistakes.report(at, "inherit:default", message);
    }
  }
  return {
    takesDefault: (keyword) => lets(defaults, keyword),
    takesVariable: (name) => lets(variables, name),
  };
}

type Filter = boolean | readonly string[];

function lets(filter: Filter, name: string): boolean {
  return typeof filter === "boolean" ? filter : filter.includes(name);
}

function readFilter(entry: Entry | undefined, keyword: string, mistakes: Mistakes): Filter {
  if (!entry) return true;
  const { value } = entry;
  if (value.kind === "list") return readStrings(value, keyword, mistakes);
  if (value.kind === "scalar" && typeof value.value === "boolean") return value.value;
  const message = `${keyword} must be true, false or a list of names, but is ${describe(value)}.`;
  mistakes.report(value.at, keyword, message);
  return true;
}

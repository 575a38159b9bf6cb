// `variables`, of the file, a job, a rule or a service: a scalar, or a map with value and expand.

import type { Mistakes } from "./mistakes.ts";
import { describe } from "./node.ts";
import type { Entry, Node } from "./node.ts";
import { readBoolean, readMap, readString, readStrings } from "./read.ts";
import type { WireVariable } from "./types.ts";

export type VariablesOf = "file" | "job" | "rule" | "service";

export type Variables = ReadonlyMap<string, WireVariable>;

export const NO_VARIABLES: Variables = new Map();

const KEYS: Readonly<Record<VariablesOf, readonly string[]>> = {
  file: ["value", "description", "expand", "options"],
  job: ["value", "expand"],
  rule: [],
  service: [],
};

export function readVariables(node: Node, owner: VariablesOf, mistakes: Mistakes): Variables {
  const variables = new Map<string, WireVariable>();
  if (node.kind !== "map") {
    const message = `variables must be a map of names and values, but is ${describe(node)}.`;
    mistakes.report(node.at, "variables", message);
    return variables;
  }
  for (const entry of node.entries.values()) {
    const keyword = `variables:${entry.key}`;
    if (entry.key === "") mistakes.report(entry.at, keyword, "A variable's name is empty.");
    const value = readValue(entry, keyword, owner, mistakes);
    if (value) variables.set(entry.key, fileVariable(entry.key, value.text, !value.expand));
  }
  return variables;
}

/** What a pipeline file says is public: it is in the repository for all to see. */
export function fileVariable(key: string, value: string, raw = false): WireVariable {
  return { key, value, public: true, masked: false, file: false, raw };
}

function readValue(entry: Entry, keyword: string, owner: VariablesOf, mistakes: Mistakes) {
  const node = entry.value;
  if (node.kind === "scalar") {
    const text = scalarText(node, keyword, mistakes);
    return text === undefined ? undefined : { text, expand: true };
  }
  if (node.kind !== "map" || KEYS[owner].length === 0) {
    const forms =
      KEYS[owner].length === 0 ? "a string" : "a string, or a map with value and expand";
    mistakes.report(entry.at, keyword, `${keyword} must be ${forms}, but is ${describe(node)}.`);
    return undefined;
  }
  const refused =
    owner === "job"
      ? {
          description: "only variables of the whole file have one.",
          options: "only variables of the whole file have them.",
        }
      : {};
  const fields = readMap(node, keyword, { supported: KEYS[owner], refused }, mistakes);
  const value = fields?.get("value")?.value;
  const expand = fields?.get("expand")?.value;
  const text = value ? scalarText(value, `${keyword}:value`, mistakes) : "";
  const description = fields?.get("description")?.value;
  if (description) readString(description, `${keyword}:description`, mistakes);
  const options = fields?.get("options")?.value;
  if (options) {
    const allowed = readStrings(options, `${keyword}:options`, mistakes);
    if (text !== undefined && !allowed.includes(text)) {
      const message = `The value of ${keyword} must be one of its options: ${allowed.join(", ")}.`;
      mistakes.report(entry.at, keyword, message);
    }
  }
  const expands = expand ? readBoolean(expand, `${keyword}:expand`, mistakes) : true;
  return text === undefined ? undefined : { text, expand: expands ?? true };
}

function scalarText(node: Node, keyword: string, mistakes: Mistakes): string | undefined {
  if (node.kind === "scalar" && node.value !== null) return node.text;
  const hint = node.kind === "scalar" ? ' Write "" for an empty value.' : "";
  const message = `${keyword} must be a string or a number, but is ${describe(node)}.${hint}`;
  mistakes.report(node.at, keyword, message);
  return undefined;
}

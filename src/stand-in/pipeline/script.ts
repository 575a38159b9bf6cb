// Scripts: a string, or a list nested up to ten levels (as !reference makes it), flattened.

import type { Mistakes } from "./mistakes.ts";
import { describe } from "./node.ts";
import type { Node } from "./node.ts";
import { readMap } from "./read.ts";
import type { WireHook } from "./types.ts";

const DEEPEST = 10;
const HOOKS = ["pre_get_sources_script", "post_get_sources_script"] as const;

export function readScript(node: Node, keyword: string, mistakes: Mistakes): readonly string[] {
  if (node.kind === "scalar" && typeof node.value === "string") return [node.value];
  if (node.kind === "list") return flatten(node, keyword, 1, mistakes);
  const message = `${keyword} must be a string or a list of strings, but is ${describe(node)}.`;
  mistakes.report(node.at, keyword, message);
  return [];
}

function flatten(node: Node, keyword: string, level: number, mistakes: Mistakes): string[] {
  if (node.kind === "scalar" && typeof node.value === "string") return [node.value];
  if (node.kind !== "list") {
    const colon = node.kind === "map" ? ' Put quotes around a command that contains ": ".' : "";
    const message = `Every line of ${keyword} must be a string, but this is ${describe(node)}.${colon}`;
    mistakes.report(node.at, keyword, message);
    return [];
  }
  if (level > DEEPEST) {
    const message = `${keyword} is nested more than ${DEEPEST} lists deep.`;
    mistakes.report(node.at, keyword, message);
    return [];
  }
  return node.items.flatMap((item) => flatten(item, keyword, level + 1, mistakes));
}

export function readHooks(node: Node, mistakes: Mistakes): readonly WireHook[] {
  const entries = readMap(node, "hooks", { supported: HOOKS }, mistakes);
  return HOOKS.flatMap((name) => {
    const entry = entries?.get(name);
    return entry ? [{ name, script: readScript(entry.value, `hooks:${name}`, mistakes) }] : [];
  });
}

// `!reference [job, keyword, …]`: replaced by what stands there, before `extends` is looked at, as
// GitLab does it. What is found may hold references itself, up to ten levels; circles are refused.

import type { Mistakes } from "./mistakes.ts";
import { brokenAt, isNull } from "./node.ts";
import type { MapNode, Node, ReferenceNode } from "./node.ts";

const DEEPEST = 10;

export function resolveReferences(root: MapNode, mistakes: Mistakes): MapNode {
  const resolve = (node: Node, chain: readonly ReferenceNode[]): Node => {
    switch (node.kind) {
      case "scalar":
        return node;
      case "list":
        return { ...node, items: node.items.map((item) => resolve(item, chain)) };
      case "map":
        return resolveMap(node, chain);
      case "reference":
        return follow(node, chain);
    }
  };
  const resolveMap = (map: MapNode, chain: readonly ReferenceNode[]): MapNode => {
    const entries = [...map.entries].map(
      ([key, entry]) => [key, { ...entry, value: resolve(entry.value, chain) }] as const,
    );
    return { ...map, entries: new Map(entries) };
  };
  const follow = (reference: ReferenceNode, chain: readonly ReferenceNode[]): Node => {
    const name = `!reference [${reference.path.join(", ")}]`;
    const report = (message: string): Node => {
      mistakes.report((chain[0] ?? reference).at, "!reference", `${name} ${message}`);
      return brokenAt(reference.at);
    };
    if (chain.some((open) => open.path.join("\0") === reference.path.join("\0")))
      return report("is part of a circle: it leads back to itself.");
    if (chain.length >= DEEPEST) return report(`is nested more than ${DEEPEST} references deep.`);
    const target = find(root, reference.path);
    if (!target || isNull(target))
      return report("was not found. (What a job has by extends or default cannot be referenced.)");
    return resolve(target, [...chain, reference]);
  };
  return resolveMap(root, []);
}

function find(root: Node, path: readonly string[]): Node | undefined {
  let node: Node | undefined = root;
  for (const name of path) {
    if (node?.kind !== "map") return undefined;
    node = node.entries.get(name)?.value;
  }
  return node;
}

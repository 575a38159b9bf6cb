// `extends`: the named jobs, deep-merged from left to right, below the job's own keys. Maps are
// merged, everything else is replaced.

import type { Mistakes } from "./mistakes.ts";
import type { Entry, MapNode } from "./node.ts";
import { nearest } from "./nearest.ts";
import { FILE_KEYWORDS } from "./keywords.ts";
import { readStringOrStrings } from "./read.ts";

const DEEPEST = 10;

/** The top level with every `extends` carried out; one that failed stays, as a sign of it. */
export function resolveExtends(root: MapNode, mistakes: Mistakes): MapNode {
  const done = new Map<string, MapNode>();
  const resolve = (entry: Entry, chain: readonly string[]): MapNode | undefined => {
    if (entry.value.kind !== "map") return undefined;
    const known = done.get(entry.key);
    if (known) return known;
    const wish = entry.value.entries.get("extends");
    if (!wish) return entry.value;
    const open = [...chain, entry.key];
    let merged: MapNode | undefined;
    const names = readStringOrStrings(wish.value, "extends", mistakes);
    let failed = names.length === 0;
    for (const name of names) {
      const base = baseOf(root, wish, name, open, mistakes);
      const resolved = base && resolve(base, open);
      if (!resolved) failed = true;
      else merged = merged ? deepMerge(merged, resolved) : resolved;
    }
    const own = failed ? entry.value : without(entry.value, "extends");
    const result = merged ? deepMerge(merged, own) : own;
    done.set(entry.key, result);
    return result;
  };
  const entries = [...root.entries].map(([key, entry]) => {
    const value = (FILE_KEYWORDS.includes(key) ? undefined : resolve(entry, [])) ?? entry.value;
    return [key, { ...entry, value }] as const;
  });
  return { ...root, entries: new Map(entries) };
}

function baseOf(
  root: MapNode,
  wish: Entry,
  name: string,
  chain: readonly string[],
  mistakes: Mistakes,
): Entry | undefined {
  const report = (message: string): undefined => {
    mistakes.report(wish.at, "extends", message);
  };
  if (chain.includes(name))
    return report(`extends goes in a circle: ${[...chain, name].join(" extends ")}.`);
  if (chain.length > DEEPEST) return report(`extends is nested more than ${DEEPEST} levels deep.`);
  const base = root.entries.get(name);
  if (base?.value.kind === "map") return base;
  if (base) return report(`extends names "${name}", which is not a map and so not a job.`);
  const guess = nearest(name, [...root.entries.keys()]);
  const hint = guess === undefined ? "" : ` Did you mean "${guess}"?`;
  return report(`extends names "${name}", but there is no such job.${hint}`);
}

function without(map: MapNode, key: string): MapNode {
  return { ...map, entries: new Map([...map.entries].filter(([each]) => each !== key)) };
}

export function deepMerge(below: MapNode, above: MapNode): MapNode {
  const entries = new Map(below.entries);
  for (const [key, entry] of above.entries) {
    const under = entries.get(key)?.value;
    const value =
      under?.kind === "map" && entry.value.kind === "map"
        ? deepMerge(under, entry.value)
        : entry.value;
    entries.set(key, { ...entry, value });
  }
  return { ...above, entries };
}

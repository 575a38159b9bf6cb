// Readers of small values: each gives what it read, or reports where it is wrong and gives undefined.

import type { Mistakes } from "./mistakes.ts";
import { nearest } from "./nearest.ts";
import { describe } from "./node.ts";
import type { Entry, MapNode, Node } from "./node.ts";

export function readString(node: Node, keyword: string, mistakes: Mistakes): string | undefined {
  if (node.kind === "scalar" && typeof node.value === "string" && node.value !== "")
    return node.value;
  const quotes = node.kind === "scalar" && typeof node.value !== "string" && node.value !== null;
  const advice = quotes ? "; put it in quotes" : "";
  mistakes.report(
    node.at,
    keyword,
    `${keyword} must be a string, but is ${describe(node)}${advice}.`,
  );
  return undefined;
}

export function readBoolean(node: Node, keyword: string, mistakes: Mistakes): boolean | undefined {
  if (node.kind === "scalar" && typeof node.value === "boolean") return node.value;
  mistakes.report(node.at, keyword, `${keyword} must be true or false, but is ${describe(node)}.`);
  return undefined;
}

export function readInteger(
  node: Node,
  keyword: string,
  range: { readonly from: number; readonly to: number },
  mistakes: Mistakes,
): number | undefined {
  const value = node.kind === "scalar" ? node.value : undefined;
  if (typeof value === "number" && Number.isInteger(value))
    if (value >= range.from && value <= range.to) return value;
  const wanted = `a whole number from ${range.from} to ${range.to}`;
  mistakes.report(node.at, keyword, `${keyword} must be ${wanted}, but is ${describe(node)}.`);
  return undefined;
}

export function readChoice<T extends string>(
  node: Node,
  keyword: string,
  choices: readonly T[],
  mistakes: Mistakes,
): T | undefined {
  const value = node.kind === "scalar" ? node.value : undefined;
  const choice = choices.find((each) => each === value);
  if (choice !== undefined) return choice;
  const found = typeof value === "string" ? `"${value}"` : describe(node);
  const message = `${keyword} must be one of ${choices.join(", ")}, but is ${found}.`;
  mistakes.report(node.at, keyword, message);
  return undefined;
}

/** A list of strings; no nesting. Empty strings only where they mean something. */
export function readStrings(
  node: Node,
  keyword: string,
  mistakes: Mistakes,
  empty: "refused" | "allowed" = "refused",
): readonly string[] {
  if (node.kind !== "list") {
    const message = `${keyword} must be a list of strings, but is ${describe(node)}.`;
    mistakes.report(node.at, keyword, message);
    return [];
  }
  return node.items.flatMap((item) => {
    if (empty === "allowed" && item.kind === "scalar" && item.value === "") return [""];
    return readString(item, keyword, mistakes) ?? [];
  });
}

/** One string, or a list of them. */
export function readStringOrStrings(
  node: Node,
  keyword: string,
  mistakes: Mistakes,
): readonly string[] {
  if (node.kind === "list") return readStrings(node, keyword, mistakes);
  const value = readString(node, keyword, mistakes);
  return value === undefined ? [] : [value];
}

export interface KnownKeys {
  readonly supported: readonly string[];
  /** What the map is, where its keyword does not say it well. */
  readonly title?: string;
  /** Keys that GitLab knows and this does not, each with advice. */
  readonly refused?: Readonly<Record<string, string>>;
}

/** The map's entries, after a mistake for every key that is not among the known ones. */
export function readMap(
  node: Node,
  keyword: string,
  known: KnownKeys,
  mistakes: Mistakes,
): ReadonlyMap<string, Entry> | undefined {
  if (node.kind !== "map") {
    mistakes.report(node.at, keyword, `${keyword} must be a map, but is ${describe(node)}.`);
    return undefined;
  }
  checkKeys(node, keyword, known, mistakes);
  return node.entries;
}

export function checkKeys(
  map: MapNode,
  keyword: string,
  known: KnownKeys,
  mistakes: Mistakes,
): void {
  for (const { key, at } of map.entries.values()) {
    if (known.supported.includes(key)) continue;
    const path = keyword === "" ? key : `${keyword}:${key}`;
    const advice = known.refused?.[key];
    if (advice !== undefined) {
      mistakes.report(at, path, `${path} is not supported here: ${advice}`);
      continue;
    }
    const guess = nearest(key, known.supported);
    const hint =
      guess === undefined
        ? `Supported are: ${known.supported.join(", ")}.`
        : `Did you mean "${guess}"?`;
    mistakes.report(at, path, `"${key}" is not a key of ${known.title ?? keyword}. ${hint}`);
  }
}

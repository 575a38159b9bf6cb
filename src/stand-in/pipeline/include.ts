// `include: local`: other files of the same commit, deep-merged below the file that names them.

import { readDocument } from "./document.ts";
import { deepMerge } from "./extends.ts";
import type { Mistakes } from "./mistakes.ts";
import { describe } from "./node.ts";
import type { Entry, MapNode, Node, Position } from "./node.ts";
import { readMap, readString } from "./read.ts";

const MOST_FILES = 150;
const KNOWN = {
  supported: ["local"],
  refused: {
    remote: "nothing is fetched; copy the file into the project and include it with local.",
    project: "other projects are not read; copy the file and include it with local.",
    file: "other projects are not read; copy the file and include it with local.",
    ref: "other projects are not read; copy the file and include it with local.",
    template: "GitLab's templates are not here; copy the file and include it with local.",
    component: "CI/CD components are not fetched; copy the file and include it with local.",
    rules: "the file is always included; write rules at its jobs.",
    inputs: "included files have no inputs; use variables.",
  },
};

export type ReadFile = (path: string) => string | undefined;

/** The root with everything merged in that it includes, and without its `include`. */
export function resolveIncludes(
  root: MapNode,
  readFile: ReadFile | undefined,
  mistakes: Mistakes,
): MapNode {
  let count = 0;
  const load = (map: MapNode, chain: readonly string[]): MapNode => {
    const include = map.entries.get("include");
    if (!include) return map;
    const rest = new Map([...map.entries].filter(([key]) => key !== "include"));
    const own: MapNode = { ...map, entries: rest };
    let below: MapNode | undefined;
    for (const { path, at } of readPaths(include, mistakes)) {
      count += 1;
      if (count > MOST_FILES) {
        mistakes.report(at, "include", `More than ${MOST_FILES} files are included.`);
        break;
      }
      const file = open(path, at, chain, readFile, mistakes);
      const loaded = file && load(file, [...chain, path]);
      if (loaded) below = below ? deepMerge(below, loaded) : loaded;
    }
    return below ? deepMerge(below, own) : own;
  };
  return load(root, []);
}

function open(
  path: string,
  at: Position,
  chain: readonly string[],
  readFile: ReadFile | undefined,
  mistakes: Mistakes,
): MapNode | undefined {
  const report = (message: string): undefined => {
    mistakes.report(at, "include", message);
  };
  if (chain.includes(path))
    return report(`include goes in a circle: ${[...chain, path].join(" includes ")}.`);
  if (path.includes("*")) return report(`include takes the name of a file, not "${path}".`);
  if (!/\.ya?ml$/.test(path))
    return report(`An included file ends in .yml or .yaml; "${path}" does not.`);
  if (!readFile) return report("include is not supported here: there is no project to read from.");
  const text = readFile(path);
  if (text === undefined)
    return report(`The included file "${path}" does not exist in this commit.`);
  return readDocument(text, path, mistakes);
}

interface Path {
  readonly path: string;
  readonly at: Position;
}

function readPaths(include: Entry, mistakes: Mistakes): readonly Path[] {
  const { value } = include;
  return value.kind === "list"
    ? value.items.flatMap((item) => readPath(item, mistakes))
    : readPath(value, mistakes);
}

function readPath(node: Node, mistakes: Mistakes): readonly Path[] {
  if (node.kind === "map") {
    const local = readMap(node, "include", KNOWN, mistakes)?.get("local");
    const path = local && readString(local.value, "include:local", mistakes);
    if (node.entries.size === 0)
      mistakes.report(node.at, "include", "An include must say local: and a path.");
    return path === undefined ? [] : [{ path: path.replace(/^\/+/, ""), at: node.at }];
  }
  if (node.kind !== "scalar") {
    const message = `include takes paths and maps with local, not ${describe(node)}.`;
    mistakes.report(node.at, "include", message);
    return [];
  }
  const path = readString(node, "include", mistakes);
  if (path === undefined) return [];
  if (/^https?:\/\//.test(path)) {
    const message = `include:remote is not supported here: ${KNOWN.refused.remote}`;
    mistakes.report(node.at, "include", message);
    return [];
  }
  return [{ path: path.replace(/^\/+/, ""), at: node.at }];
}

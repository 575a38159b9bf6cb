// `parallel`: one job becomes many. A number gives "job 1/3", a matrix "job: [a, b]".

import type { Mistakes } from "./mistakes.ts";
import { describe } from "./node.ts";
import type { Node } from "./node.ts";
import { readInteger, readMap } from "./read.ts";
import { fileVariable, NO_VARIABLES } from "./variables.ts";
import type { Variables } from "./variables.ts";

export interface Part {
  readonly name: string;
  /** From a matrix; they win over the job's own. */
  readonly variables: Variables;
}

const MOST = 200;

/** The parts of the job; undefined when `parallel` itself is wrong. */
export function readParallel(
  node: Node,
  job: string,
  mistakes: Mistakes,
): readonly Part[] | undefined {
  if (node.kind === "map") {
    const fields = readMap(node, "parallel", { supported: ["matrix"] }, mistakes);
    const matrix = fields?.get("matrix");
    if (matrix) return readMatrix(matrix.value, job, "parallel:matrix", mistakes);
    if (node.entries.size === 0)
      mistakes.report(node.at, "parallel", "parallel must be a number or a map with matrix.");
    return undefined;
  }
  const total = readInteger(node, "parallel", { from: 1, to: MOST }, mistakes);
  if (total === undefined) return undefined;
  const numbers = Array.from({ length: total }, (_, index) => index + 1);
  return numbers.map((number) => ({ name: `${job} ${number}/${total}`, variables: NO_VARIABLES }));
}

export function readMatrix(
  node: Node,
  job: string,
  keyword: string,
  mistakes: Mistakes,
): readonly Part[] | undefined {
  if (node.kind !== "list" || node.items.length === 0) {
    const message = `${keyword} must be a list of maps, but is ${describe(node)}.`;
    mistakes.report(node.at, keyword, message);
    return undefined;
  }
  const rows = node.items.flatMap((item) => combinations(item, keyword, mistakes));
  if (rows.length > MOST) {
    const message = `${keyword} makes ${rows.length} jobs; GitLab allows ${MOST}.`;
    mistakes.report(node.at, keyword, message);
    return undefined;
  }
  return rows.map((row) => ({
    name: `${job}: [${row.map(([, value]) => value).join(", ")}]`,
    variables: new Map(row.map(([key, value]) => [key, fileVariable(key, value)])),
  }));
}

type Row = readonly (readonly [key: string, value: string])[];

/** Every way to choose one value of each variable; the last variable changes fastest. */
function combinations(node: Node, keyword: string, mistakes: Mistakes): Row[] {
  if (node.kind !== "map" || node.entries.size === 0) {
    const message = `${keyword} must hold maps of names and values, but here is ${describe(node)}.`;
    mistakes.report(node.at, keyword, message);
    return [];
  }
  let rows: Row[] = [[]];
  for (const { key, value } of node.entries.values()) {
    const values = scalars(value, `${keyword}:${key}`, mistakes);
    if (rows.length * values.length > 10 * MOST) return rows;
    rows = rows.flatMap((row) => values.map((each) => [...row, [key, each] as const]));
  }
  return rows;
}

function scalars(node: Node, keyword: string, mistakes: Mistakes): string[] {
  const items = node.kind === "list" ? node.items : [node];
  const values = items.flatMap((item) => {
    if (item.kind === "scalar" && item.value !== null) return [item.text];
    const message = `${keyword} must be a string, a number, or a list of them, but here is ${describe(item)}.`;
    mistakes.report(item.at, keyword, message);
    return [];
  });
  if (items.length === 0) mistakes.report(node.at, keyword, `${keyword} is an empty list.`);
  return values;
}

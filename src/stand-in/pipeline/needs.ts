// `needs` and `dependencies` as a job writes them; `graph.ts` checks what they name.

import type { Mistakes } from "./mistakes.ts";
import { describe } from "./node.ts";
import type { Entry, Node, Position } from "./node.ts";
import { readMatrix } from "./parallel.ts";
import type { Part } from "./parallel.ts";
import { readBoolean, readMap, readString } from "./read.ts";

export interface NeedDraft {
  readonly job: string;
  readonly at: Position;
  readonly artifacts: boolean;
  readonly optional: boolean;
  /** Only these parts of a matrix job. */
  readonly parts: readonly Part[] | undefined;
}

export interface DependencyDraft {
  readonly job: string;
  readonly at: Position;
}

const KEYS = {
  supported: ["job", "artifacts", "optional", "parallel"],
  refused: {
    pipeline: "there are no other pipelines to need a job of.",
    project: "jobs of other projects cannot be needed.",
    ref: "jobs of other projects cannot be needed.",
  },
};

export function readNeeds(node: Node, mistakes: Mistakes): readonly NeedDraft[] {
  if (node.kind !== "list") {
    const message = `needs must be a list of jobs, but is ${describe(node)}.`;
    mistakes.report(node.at, "needs", message);
    return [];
  }
  return flat(node).flatMap((item) => readNeed(item, mistakes) ?? []);
}

/** !reference puts lists into lists. */
function flat(node: Node): readonly Node[] {
  return node.kind === "list" ? node.items.flatMap(flat) : [node];
}

function readNeed(node: Node, mistakes: Mistakes): NeedDraft | undefined {
  if (node.kind !== "map") {
    const job = readString(node, "needs", mistakes);
    if (job === undefined) return undefined;
    return { job, at: node.at, artifacts: true, optional: false, parts: undefined };
  }
  const fields = readMap(node, "needs", KEYS, mistakes);
  const job = fields?.get("job");
  if (!job) {
    const foreign = ["pipeline", "project"].some((key) => node.entries.has(key));
    if (!foreign) mistakes.report(node.at, "needs", "A map in needs must have the key job.");
    return undefined;
  }
  const flag = (entry: Entry | undefined) =>
    entry && readBoolean(entry.value, `needs:${entry.key}`, mistakes);
  const name = readString(job.value, "needs:job", mistakes);
  const artifacts = flag(fields?.get("artifacts")) ?? true;
  const optional = flag(fields?.get("optional")) ?? false;
  const parallel = fields?.get("parallel");
  const parts = parallel && readPartsNeeded(parallel, name ?? "", mistakes);
  return name === undefined ? undefined : { job: name, at: node.at, artifacts, optional, parts };
}

function readPartsNeeded(
  entry: Entry,
  job: string,
  mistakes: Mistakes,
): readonly Part[] | undefined {
  const fields = readMap(entry.value, "needs:parallel", { supported: ["matrix"] }, mistakes);
  const matrix = fields?.get("matrix");
  return matrix && readMatrix(matrix.value, job, "needs:parallel:matrix", mistakes);
}

export function readDependencies(node: Node, mistakes: Mistakes): readonly DependencyDraft[] {
  if (node.kind !== "list") {
    const message = `dependencies must be a list of job names, but is ${describe(node)}.`;
    mistakes.report(node.at, "dependencies", message);
    return [];
  }
  return node.items.flatMap((item) => {
    const job = readString(item, "dependencies", mistakes);
    return job === undefined ? [] : [{ job, at: item.at }];
  });
}

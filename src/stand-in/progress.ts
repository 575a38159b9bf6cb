// Pure: what becomes of the jobs that have not begun, given those before them, and what a group of
// jobs adds up to. Both as GitLab decides them.

import type { JobStatus } from "./model.ts";
import { completed } from "./model.ts";
import type { CompiledNeed, JobWhen } from "./pipeline/types.ts";

/** The latest attempt of a job, as far as progress is concerned. */
export interface Step {
  readonly name: string;
  readonly stage: string;
  readonly status: JobStatus;
  readonly when: JobWhen;
  readonly allowFailure: boolean;
  /** Undefined: waits for all earlier stages. */
  readonly needs: readonly CompiledNeed[] | undefined;
}

export interface Move {
  readonly name: string;
  readonly to: "pending" | "manual" | "skipped";
}

/** What can be decided now about jobs that are only `created`. Ask again after applying it. */
export function nextMoves(stages: readonly string[], steps: readonly Step[]): Move[] {
  const moves: Move[] = [];
  for (const step of steps) {
    if (step.status !== "created") continue;
    const before = statusBefore(stages, steps, step);
    if (!completed(before)) continue;
    if (!mayStart(step, before)) moves.push({ name: step.name, to: "skipped" });
    else moves.push({ name: step.name, to: step.when === "manual" ? "manual" : "pending" });
  }
  return moves;
}

function statusBefore(stages: readonly string[], steps: readonly Step[], step: Step): JobStatus {
  if (step.needs !== undefined) {
    const needed = new Set(step.needs.map((need) => need.job));
    return combinedStatus(
      steps.filter((other) => needed.has(other.name)),
      { dag: true },
    );
  }
  const position = stages.indexOf(step.stage);
  return combinedStatus(steps.filter((other) => stages.indexOf(other.stage) < position));
}

function mayStart(step: Step, before: JobStatus): boolean {
  switch (step.when) {
    case "on_success":
    case "manual":
      return before === "success" || (before === "skipped" && step.needs === undefined);
    case "on_failure":
      return before === "failed";
    case "always":
      return before === "success" || before === "failed" || before === "skipped";
  }
}

type Seen = JobStatus | "warning" | "ignored";

/** Of no jobs at all: success. */
export function combinedStatus(
  steps: readonly Pick<Step, "status" | "allowFailure">[],
  options: { readonly dag?: boolean } = {},
): JobStatus {
  if (steps.length === 0) return "success";
  const seen = new Set(steps.map(weigh));
  const only = (...allowed: Seen[]) => [...seen].every((status) => allowed.includes(status));
  const some = (...wanted: Seen[]) => wanted.some((status) => seen.has(status));

  if (options.dag === true) {
    if (some("skipped", "ignored")) return "skipped";
    if (!only("success", "warning", "failed", "canceled")) return "pending";
  }
  if (only("skipped", "ignored")) return "skipped";
  if (only("success", "warning", "skipped", "ignored")) return "success";
  if (only("created", "warning", "ignored")) return "created";
  if (some("canceling")) return "canceling";
  if (only("canceled", "success", "warning", "skipped", "ignored")) return "canceled";
  if (only("pending", "created", "skipped", "warning", "ignored")) return "pending";
  if (some("running", "pending")) return "running";
  if (some("manual")) return "manual";
  if (some("created")) return "running";
  return "failed";
}

function weigh(step: Pick<Step, "status" | "allowFailure">): Seen {
  if (!step.allowFailure) return step.status;
  if (step.status === "failed" || step.status === "canceled") return "warning";
  return step.status === "manual" ? "ignored" : step.status;
}

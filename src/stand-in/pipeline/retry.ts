// `retry` and `allow_failure`: what happens after a failure.

import type { Mistakes } from "./mistakes.ts";
import { nearest } from "./nearest.ts";
import { describe } from "./node.ts";
import type { Node } from "./node.ts";
import { readInteger, readMap, readStringOrStrings } from "./read.ts";
import type { CompiledRetry } from "./types.ts";

const REASONS = [
  "always",
  "unknown_failure",
  "script_failure",
  "api_failure",
  "stuck_or_timeout_failure",
  "no_updates_running",
  "runner_system_failure",
  "runner_unsupported",
  "runner_configuration_error",
  "runner_external_dependency_failure",
  "runner_interrupted",
  "runner_provisioning_timeout",
  "image_pull_failure",
  "missing_dependency_failure",
  "stale_schedule",
  "job_execution_timeout",
  "archived_failure",
  "unmet_prerequisites",
  "scheduler_failure",
  "data_integrity_failure",
  "forward_deployment_failure",
  "trace_size_exceeded",
  "builds_disabled",
  "job_token_expired",
  "user_blocked",
];
const MOST_RETRIES = 2;
const EXIT_CODES = { from: 0, to: 255 };

export const NO_RETRY: CompiledRetry = { max: 0, when: ["always"], exitCodes: [] };

export function readRetry(node: Node, mistakes: Mistakes): CompiledRetry {
  const range = { from: 0, to: MOST_RETRIES };
  if (node.kind === "scalar" && typeof node.value === "number")
    return { ...NO_RETRY, max: readInteger(node, "retry", range, mistakes) ?? 0 };
  if (node.kind !== "map") {
    const message = `retry must be a number from 0 to ${MOST_RETRIES} or a map, but is ${describe(node)}.`;
    mistakes.report(node.at, "retry", message);
    return NO_RETRY;
  }
  const fields = readMap(node, "retry", { supported: ["max", "when", "exit_codes"] }, mistakes);
  const max = fields?.get("max");
  const when = fields?.get("when");
  const codes = fields?.get("exit_codes");
  const exitCodes = codes ? readExitCodes(codes.value, "retry:exit_codes", mistakes) : [];
  return {
    max: (max && readInteger(max.value, "retry:max", range, mistakes)) ?? 0,
    when: when ? readReasons(when.value, mistakes) : codes ? [] : ["always"],
    exitCodes,
  };
}

function readReasons(node: Node, mistakes: Mistakes): readonly string[] {
  const names = readStringOrStrings(node, "retry:when", mistakes);
  for (const name of names) {
    if (REASONS.includes(name)) continue;
    const guess = nearest(name, REASONS);
    const hint = guess === undefined ? "" : ` Did you mean "${guess}"?`;
    const message = `"${name}" is not a reason that retry:when knows.${hint} Known are: ${REASONS.join(", ")}.`;
    mistakes.report(node.at, "retry:when", message);
  }
  return names;
}

export function readAllowFailure(
  node: Node,
  mistakes: Mistakes,
): boolean | { readonly exitCodes: readonly number[] } {
  if (node.kind === "scalar" && typeof node.value === "boolean") return node.value;
  if (node.kind !== "map") {
    const message = `allow_failure must be true, false or a map with exit_codes, but is ${describe(node)}.`;
    mistakes.report(node.at, "allow_failure", message);
    return false;
  }
  const fields = readMap(node, "allow_failure", { supported: ["exit_codes"] }, mistakes);
  const codes = fields?.get("exit_codes");
  if (codes) return { exitCodes: readExitCodes(codes.value, "allow_failure:exit_codes", mistakes) };
  if (node.entries.size === 0)
    mistakes.report(node.at, "allow_failure", "allow_failure is a map without exit_codes.");
  return false;
}

function readExitCodes(node: Node, keyword: string, mistakes: Mistakes): readonly number[] {
  const items = node.kind === "list" ? node.items : [node];
  if (items.length === 0) mistakes.report(node.at, keyword, `${keyword} is an empty list.`);
  return items.flatMap((item) => readInteger(item, keyword, EXIT_CODES, mistakes) ?? []);
}

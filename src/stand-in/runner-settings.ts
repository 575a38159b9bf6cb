// Pure: the settings of a runner out of the parameters of a registration, GitLab's checks included.

import type { Params } from "./http/exchange.ts";
import { flagParam, textParam, valueOf, wholeParam } from "./http/param.ts";
import type { Reply } from "./http/reply.ts";
import { invalid, json } from "./http/reply.ts";
import type { RunnerSettings } from "./runners.ts";

export type ReadSettings =
  | { readonly kind: "settings"; readonly settings: Partial<RunnerSettings> }
  | { readonly kind: "invalid"; readonly reply: Reply };

/** GitLab has no shorter limit. */
const shortestTimeoutSeconds = 600;

export function runnerSettings(params: Params): ReadSettings {
  const paused = flagParam(params, "paused");
  const locked = flagParam(params, "locked");
  const runUntagged = flagParam(params, "run_untagged");
  const timeout = wholeParam(params, "maximum_timeout");
  const accessLevel = textParam(params, "access_level");
  for (const [name, param] of Object.entries({
    paused,
    locked,
    run_untagged: runUntagged,
    maximum_timeout: timeout,
  })) {
    if (param.kind === "invalid") return refused(`${name} is invalid`);
  }
  const level = valueOf(accessLevel) ?? "not_protected";
  if (level !== "not_protected" && level !== "ref_protected") {
    return refused("access_level does not have a valid value");
  }
  // The official runner sends 0 for "none".
  const seconds = valueOf(timeout) === 0 ? undefined : valueOf(timeout);
  if (seconds !== undefined && seconds < shortestTimeoutSeconds) {
    return rejected({ maximum_timeout: ["needs to be at least 10 minutes"] });
  }
  const tags = tagsOf(params["tag_list"]);
  if (valueOf(runUntagged) === false && (tags ?? []).length === 0) {
    return rejected({
      tags_list: ["can not be empty when runner is not allowed to pick untagged jobs"],
    });
  }
  return {
    kind: "settings",
    settings: given({
      paused: valueOf(paused),
      locked: valueOf(locked),
      runUntagged: valueOf(runUntagged),
      accessLevel: accessLevel.kind === "absent" ? undefined : level,
      maximumTimeout: seconds,
      description: valueOf(textParam(params, "description")),
      maintenanceNote: valueOf(textParam(params, "maintenance_note")),
      tags,
    }),
  };
}

/** Only what was said: the rest keeps its value. */
function given(settings: {
  readonly [Key in keyof RunnerSettings]?: RunnerSettings[Key] | undefined;
}): Partial<RunnerSettings> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function tagsOf(value: unknown): string[] | undefined {
  const list = Array.isArray(value) ? value : typeof value === "string" ? value.split(",") : [];
  if (value === undefined || value === null) return undefined;
  const tags = list.filter((tag) => typeof tag === "string").map((tag) => tag.trim());
  return [...new Set(tags.filter((tag) => tag !== ""))];
}

function refused(error: string): ReadSettings {
  return { kind: "invalid", reply: invalid(400, error) };
}

function rejected(message: Readonly<Record<string, readonly string[]>>): ReadSettings {
  return { kind: "invalid", reply: json(400, { message }) };
}

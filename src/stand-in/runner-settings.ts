// Pure: the settings of a runner out of the parameters of a registration, GitLab's checks included.

import type { Params } from "./http/exchange.ts";
import type { Reply } from "./http/reply.ts";
import { invalid, json } from "./http/reply.ts";
import type { RunnerSettings } from "./runners.ts";

export type ReadSettings =
  | { readonly kind: "settings"; readonly settings: Partial<RunnerSettings> }
  | { readonly kind: "invalid"; readonly reply: Reply };

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

export function runnerSettings(params: Params): ReadSettings {
  const settings: Partial<Writable<RunnerSettings>> = {};
  const flags = [
    ["paused", "paused"],
    ["locked", "locked"],
    ["run_untagged", "runUntagged"],
  ] as const;
  for (const [name, key] of flags) {
    if (params[name] === undefined || params[name] === null) continue;
    const flag = booleanOf(params[name]);
    if (flag === undefined) return refused(`${name} is invalid`);
    settings[key] = flag;
  }
  const accessLevel = params["access_level"];
  if (accessLevel !== undefined && accessLevel !== null && accessLevel !== "") {
    if (accessLevel !== "not_protected" && accessLevel !== "ref_protected") {
      return refused("access_level does not have a valid value");
    }
    settings.accessLevel = accessLevel;
  }
  const timeout = params["maximum_timeout"];
  // The official runner sends 0 for "none".
  if (timeout !== undefined && timeout !== null && timeout !== "" && String(timeout) !== "0") {
    if (!/^\d+$/.test(String(timeout))) return refused("maximum_timeout is invalid");
    if (Number(timeout) < 600) {
      return rejected({ maximum_timeout: ["needs to be at least 10 minutes"] });
    }
    settings.maximumTimeout = Number(timeout);
  }
  if (typeof params["description"] === "string") settings.description = params["description"];
  if (typeof params["maintenance_note"] === "string") {
    settings.maintenanceNote = params["maintenance_note"];
  }
  const tags = tagsOf(params["tag_list"]);
  if (tags !== undefined) settings.tags = tags;
  if (settings.runUntagged === false && (settings.tags ?? []).length === 0) {
    return rejected({
      tags_list: ["can not be empty when runner is not allowed to pick untagged jobs"],
    });
  }
  return { kind: "settings", settings };
}

function tagsOf(value: unknown): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  const list = Array.isArray(value) ? value.map(String) : String(value).split(",");
  return [...new Set(list.map((tag) => tag.trim()).filter((tag) => tag !== ""))];
}

function booleanOf(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (value === "true" || value === "1" || value === 1) return true;
  return value === "false" || value === "0" || value === 0 ? false : undefined;
}

function refused(error: string): ReadSettings {
  return { kind: "invalid", reply: invalid(400, error) };
}

function rejected(message: Readonly<Record<string, readonly string[]>>): ReadSettings {
  return { kind: "invalid", reply: json(400, { message }) };
}

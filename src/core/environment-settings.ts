// The settings of a whole environment, in the parameter `/gitlab-burst/<env>/settings`: what holds for all runners
// together, and for every key of a runner's settings a default. A runner's own settings win over it.

import type * as z from "zod";
import type { Secret } from "./secret.ts";
import { siftElsewhere } from "./settings-elsewhere.ts";
import { flag, section, whole } from "./settings-field.ts";
import { parseSettings, settingsSchema } from "./settings.ts";
import type { Settings } from "./settings.ts";
import { cpuText } from "./size.ts";

/** What holds for all runners together. */
export const environmentShape = {
  paused: flag("Whether no runner asks for jobs for the time being; running jobs go on.", false),
  vcpu_budget: whole(
    "How many vCPU the jobs of all runners may use at once; 0 for any. New AWS accounts have 6.",
    6,
  ),
  daily_vcpu_minutes: whole(
    "After how many vCPU minutes a day (UTC) no runner takes more jobs; 0 for never.",
    0,
  ),
  poll_seconds: whole(
    "For how many seconds of each minute GitLab is asked for jobs: the only cost of an idle runner. With less than 60 a job may wait up to the rest of the minute.",
    60,
    { from: 1, to: 60 },
  ),
} as const;

const {
  // These are the environment's own here.
  paused: _paused,
  vcpu_budget: _vcpuBudget,
  daily_vcpu_minutes: _dailyVcpuMinutes,
  // These make no sense as a default, or do not belong into plain text.
  name: _name,
  registry_auth: _registryAuth,
  ...defaultsShape
} = settingsSchema.shape;

const environmentFields = section("a map of settings", environmentShape);

/** All that may stand in the environment's settings. */
export const environmentSettingsSchema = section("a map of settings", {
  ...environmentShape,
  ...defaultsShape,
});

export type EnvironmentSettings = Readonly<z.output<typeof environmentFields>>;

/** Settings as they were written, before anything checked them. */
export type RawSettings = Readonly<Record<string, unknown>>;

export type ParsedEnvironment =
  | {
      readonly kind: "settings";
      readonly settings: EnvironmentSettings;
      /** For every runner, where its own settings do not say otherwise. */
      readonly defaults: RawSettings;
    }
  | { readonly kind: "invalid"; readonly mistakes: readonly string[] };

export function parseEnvironmentSettings(value: unknown, where: string): ParsedEnvironment {
  const { rest, complaints } = siftElsewhere(value ?? {});
  const mistakes = complaints.map(({ path, message }) => `${where}: ${path}: ${message}`);
  const checked = environmentSettingsSchema.safeParse(rest);
  for (const { path, message } of checked.error?.issues ?? []) {
    mistakes.push([where, ...(path.length === 0 ? [] : [path.join(".")]), message].join(": "));
  }
  if (mistakes.length > 0 || !isMap(rest)) return { kind: "invalid", mistakes };
  const own: Record<string, unknown> = {};
  const defaults: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(rest)) {
    (key in environmentShape ? own : defaults)[key] = entry;
  }
  const settings = environmentFields.parse(own);
  const runner = parseSettings(defaults, where);
  if (runner.kind === "invalid") return { kind: "invalid", mistakes: runner.message.split("\n") };
  const starved = tooSmallBudget(runner.settings, settings.vcpu_budget, "vcpu_budget");
  if (starved !== undefined) return { kind: "invalid", mistakes: [`${where}: ${starved}`] };
  return { kind: "settings", settings, defaults };
}

export type ParsedRunner =
  | { readonly kind: "runner"; readonly settings: Settings; readonly raw: RawSettings }
  | { readonly kind: "invalid"; readonly mistakes: readonly string[] };

/** One runner's settings on AWS: its own, over the environment's defaults, with the logins of its own parameter. */
export function parseRunnerSettings(
  own: unknown,
  environment: Extract<ParsedEnvironment, { kind: "settings" }>,
  place: { readonly where: string; readonly environmentWhere: string },
): ParsedRunner {
  const { where, environmentWhere } = place;
  const given = own ?? {};
  if (!isMap(given)) return invalidRunner(parseSettings(given, where));
  const mistakes: string[] = [];
  const { registry_auth: logins, ...others } = given;
  const rest: Record<string, unknown> = { ...others };
  if (logins !== undefined && logins !== null && logins !== "") {
    mistakes.push(
      `${where}: registry_auth: logins do not belong into settings, which are kept in plain text: put them into the encrypted parameter registry-auth beside this one`,
    );
  }
  for (const key of Object.keys(rest)) {
    if (!(key in environmentShape) || key in settingsSchema.shape) continue;
    mistakes.push(
      `${where}: ${key}: this holds for all runners together: it belongs into ${environmentWhere}`,
    );
    delete rest[key];
  }
  // Without a budget of its own a runner has the environment's.
  const shared = environment.settings.vcpu_budget;
  const raw = merge({ vcpu_budget: shared, ...environment.defaults }, rest);
  const parsed = parseSettings(raw, where);
  if (parsed.kind === "invalid") mistakes.push(...parsed.message.split("\n"));
  if (parsed.kind === "invalid" || mistakes.length > 0) return { kind: "invalid", mistakes };
  const { settings } = parsed;
  // What is more than all runners together may use can never start, whatever the runner's own budget says.
  const budget = Math.min(settings.vcpu_budget || Infinity, shared || Infinity);
  const vcpu_budget = budget === Infinity ? 0 : budget;
  const whose = budget < (settings.vcpu_budget || Infinity) ? ` of ${environmentWhere}` : "";
  const starved = tooSmallBudget(settings, vcpu_budget, `vcpu_budget${whose}`);
  if (starved !== undefined) return { kind: "invalid", mistakes: [`${where}: ${starved}`] };
  return { kind: "runner", settings: { ...settings, vcpu_budget }, raw };
}

export type ParsedLogins =
  | { readonly kind: "logins"; readonly logins: Secret }
  | { readonly kind: "invalid"; readonly mistake: string };

/** The parameter registry-auth: a docker config.json. */
export function parseRegistryAuth(value: string, where: string): ParsedLogins {
  const parsed = settingsSchema.shape.registry_auth.safeParse(value);
  if (parsed.success) return { kind: "logins", logins: parsed.data };
  const message = parsed.error.issues[0]?.message ?? "expected a docker config.json";
  return { kind: "invalid", mistake: `${where}: ${message}` };
}

function invalidRunner(parsed: ReturnType<typeof parseSettings>): ParsedRunner {
  return {
    kind: "invalid",
    mistakes: parsed.kind === "invalid" ? parsed.message.split("\n") : [],
  };
}

/** A runner whose usual job does not fit its budget would never ask for one. */
function tooSmallBudget(settings: Settings, vcpu: number, name: string): string | undefined {
  const usual = settings.sizes.default.cpuUnits;
  if (vcpu === 0 || usual <= vcpu * 1024) return undefined;
  return `sizes.default.cpu: ${cpuText(usual)} are more than ${name}, ${vcpu} vCPU: no job could ever start`;
}

/** Maps are merged key by key, anything else is replaced; null leaves what is there. */
function merge(under: RawSettings, over: RawSettings): RawSettings {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    if (value === null || value === undefined) continue;
    const below = merged[key];
    merged[key] = isMap(below) && isMap(value) ? merge(below, value) : value;
  }
  return merged;
}

function isMap(value: unknown): value is RawSettings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

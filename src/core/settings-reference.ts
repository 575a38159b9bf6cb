// The settings as a JSON Schema for editors, and as rows of a table: both from the one schema that validates them.

import * as z from "zod";
import { environmentSettingsSchema, environmentShape } from "./environment-settings.ts";
import { settingsSchema } from "./settings.ts";

export type SettingsKind = "runner" | "environment";

export const jsonSchemaNode: z.ZodType<JsonSchemaNode> = z.lazy(() =>
  z.looseObject({
    type: z.union([z.string(), z.array(z.string())]).optional(),
    description: z.string().optional(),
    default: z.unknown().optional(),
    enum: z.array(z.unknown()).optional(),
    properties: z.record(z.string(), jsonSchemaNode).optional(),
    items: jsonSchemaNode.optional(),
    anyOf: z.array(jsonSchemaNode).optional(),
  }),
);

export interface JsonSchemaNode {
  readonly type?: string | readonly string[] | undefined;
  readonly description?: string | undefined;
  readonly default?: unknown;
  readonly enum?: readonly unknown[] | undefined;
  readonly properties?: Readonly<Record<string, JsonSchemaNode>> | undefined;
  readonly items?: JsonSchemaNode | undefined;
  readonly anyOf?: readonly JsonSchemaNode[] | undefined;
}

/** JSON Schema (draft 2020-12) of what may be written into a parameter or file of settings. */
export function settingsJsonSchema(kind: SettingsKind): Readonly<Record<string, unknown>> {
  const schema = kind === "runner" ? settingsSchema : environmentSettingsSchema;
  const title =
    kind === "runner" ? "Settings of one runner" : "Settings of a gitlab-burst environment";
  return { title, ...z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) };
}

export interface SettingRow {
  /** Path of the key: `sizes.default.cpu`; `[]` for the items of a list. */
  readonly key: string;
  readonly type: string;
  readonly fallback: string;
  readonly description: string;
}

/** A row for every key, those of maps below the map's own. */
export function settingRows(kind: SettingsKind): readonly SettingRow[] {
  const node = jsonSchemaNode.parse(settingsJsonSchema(kind));
  const entries = Object.entries(node.properties ?? {});
  const own = kind === "runner" ? entries : entries.filter(([key]) => key in environmentShape);
  return own.flatMap(([key, property]) => rowsOf(key, property));
}

function rowsOf(key: string, node: JsonSchemaNode): readonly SettingRow[] {
  const inner = Object.entries(node.properties ?? {}).flatMap(([name, property]) =>
    rowsOf(`${key}.${name}`, property),
  );
  const items = Object.entries(node.items?.properties ?? {}).flatMap(([name, property]) =>
    rowsOf(`${key}[].${name}`, property),
  );
  const row: SettingRow = {
    key,
    type: typeOf(node),
    fallback: fallbackOf(node),
    description: node.description ?? "",
  };
  return [row, ...inner, ...items];
}

function typeOf(node: JsonSchemaNode): string {
  if (node.enum !== undefined) return node.enum.map((value) => JSON.stringify(value)).join(", ");
  if (node.anyOf !== undefined) return [...new Set(node.anyOf.map(typeOf))].join(" or ");
  if (node.items !== undefined) return `list of ${plural(typeOf(node.items))}`;
  const types = node.type === undefined ? [] : [node.type].flat();
  return types.map((type) => words[type] ?? type).join(" or ") || "any";
}

function plural(type: string): string {
  return /^(text|map|number)$/.test(type) ? `${type}s` : type;
}

const words: Readonly<Record<string, string>> = {
  string: "text",
  boolean: "true or false",
  integer: "whole number",
  object: "map",
  array: "list",
};

function fallbackOf({ default: fallback }: JsonSchemaNode): string {
  if (fallback === undefined || fallback === "") return "";
  if (typeof fallback === "object" && fallback !== null && Object.keys(fallback).length === 0) {
    return "";
  }
  return JSON.stringify(fallback);
}

/** The page docs/settings.md. */
export function settingsPage(): string {
  return `<!-- Made by scripts/settings-docs.ts from the schema in src/core: change that, then run \`npm run settings-docs\`. -->

# Settings

On AWS settings lie in Parameter Store, as YAML or JSON, and are read again before every request for a job: a change acts
at the next one, without a deployment.

| Parameter | Kind | What |
|---|---|---|
| \`/gitlab-burst/<env>/settings\` | String | for all runners: the first table below, and any key of the second as a default |
| \`/gitlab-burst/<env>/runners/<name>/token\` | SecureString | the runner's token (glrt-…); alone it makes a runner for https://gitlab.com |
| \`/gitlab-burst/<env>/runners/<name>/settings\` | String | the second table; wins over the defaults, maps key by key |
| \`/gitlab-burst/<env>/runners/<name>/registry-auth\` | SecureString | logins for private registries, a docker config.json |

\`<name>\` has 1 to 64 letters, digits, \`-\` and \`_\`. Beyond 4 KB a parameter has to be an advanced one
(\`aws ssm put-parameter --tier Advanced\`), which has room for 8 KB. A mistake keeps its runner from asking for jobs,
and no other; one in the environment's settings stops them all, for what they forbid must not be forgotten. The poller's
log names it; \`burst settings --env <env>\` shows it before that, and \`burst settings --file FILE\` checks a file.
\`burst settings schema\` prints a JSON Schema for editors.

On one machine \`burst run --settings FILE\` takes the second table.

## All runners of an environment

${table(settingRows("environment"))}

## One runner

Keys are those of GitLab's config.toml, where it has them. On AWS a runner without a \`vcpu_budget\` of its own has the
environment's. Durations are written as \`90s\`, \`1h30m\`, or a whole number of seconds.

${table(settingRows("runner"))}
`;
}

function table(rows: readonly SettingRow[]): string {
  const lines = rows.map(
    ({ key, type, fallback, description }) =>
      `| \`${key}\` | ${cell(type)} | ${fallback === "" ? "" : `\`${cell(fallback)}\``} | ${cell(description)} |`,
  );
  return ["| Key | Value | Default | Meaning |", "|---|---|---|---|", ...lines].join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

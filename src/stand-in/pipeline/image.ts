// `image` and `services`: a name, or a map around it.

import type { Mistakes } from "./mistakes.ts";
import { describe } from "./node.ts";
import type { Entry, Node } from "./node.ts";
import { readChoice, readMap, readString, readStrings } from "./read.ts";
import type { WireExecutorOptions, WireImage, WireService } from "./types.ts";
import { readVariables } from "./variables.ts";

const IMAGE_KEYS = ["name", "entrypoint", "pull_policy", "docker", "kubernetes"];
const SERVICE_KEYS = [...IMAGE_KEYS, "alias", "command", "variables"];
const PULL_POLICIES = ["always", "if-not-present", "never"] as const;
const REFUSED = { ports: "only GitLab's web terminals use ports." };

type Fields = ReadonlyMap<string, Entry>;

export function readImage(node: Node, mistakes: Mistakes): WireImage | null {
  const fields = readFields(node, "image", IMAGE_KEYS, mistakes);
  return fields ? common(node, fields, "image", mistakes) : null;
}

export function readServices(node: Node, mistakes: Mistakes): readonly WireService[] {
  if (node.kind !== "list") {
    const message = `services must be a list of images, but is ${describe(node)}.`;
    mistakes.report(node.at, "services", message);
    return [];
  }
  return node.items.flatMap((item) => readService(item, mistakes) ?? []);
}

function readService(node: Node, mistakes: Mistakes): WireService | undefined {
  const fields = readFields(node, "services", SERVICE_KEYS, mistakes);
  const image = fields && common(node, fields, "services", mistakes);
  if (!fields || !image) return undefined;
  const alias = fields.get("alias")?.value;
  const command = fields.get("command")?.value;
  const variables = fields.get("variables")?.value;
  return {
    ...image,
    alias: (alias && readString(alias, "services:alias", mistakes)) ?? null,
    command: command ? readStrings(command, "services:command", mistakes, "allowed") : null,
    variables: variables ? [...readVariables(variables, "service", mistakes).values()] : [],
  };
}

/** The map's fields; a string stands for a map with only a name. */
function readFields(
  node: Node,
  keyword: string,
  supported: readonly string[],
  mistakes: Mistakes,
): Fields | undefined {
  if (node.kind === "map") return readMap(node, keyword, { supported, refused: REFUSED }, mistakes);
  if (readString(node, keyword, mistakes) === undefined) return undefined;
  return new Map([["name", { key: "name", at: node.at, value: node }]]);
}

function common(node: Node, fields: Fields, keyword: string, mistakes: Mistakes): WireImage | null {
  const name = fields.get("name");
  if (!name) {
    mistakes.report(node.at, `${keyword}:name`, `${keyword} is a map without a name.`);
    return null;
  }
  const entrypoint = fields.get("entrypoint")?.value;
  const image = {
    name: readString(name.value, `${keyword}:name`, mistakes),
    entrypoint: entrypoint
      ? readStrings(entrypoint, `${keyword}:entrypoint`, mistakes, "allowed")
      : null,
    ports: [] as const,
    executor_opts: executorOptions(fields, keyword, mistakes),
    pull_policy: pullPolicy(fields.get("pull_policy")?.value, keyword, mistakes),
  };
  return image.name === undefined ? null : { ...image, name: image.name };
}

function executorOptions(fields: Fields, keyword: string, mistakes: Mistakes): WireExecutorOptions {
  const docker = fields.get("docker")?.value;
  const kubernetes = fields.get("kubernetes")?.value;
  return {
    ...(docker && { docker: options(docker, `${keyword}:docker`, ["platform", "user"], mistakes) }),
    ...(kubernetes && {
      kubernetes: options(kubernetes, `${keyword}:kubernetes`, ["user"], mistakes),
    }),
  };
}

function options(
  node: Node,
  keyword: string,
  supported: readonly string[],
  mistakes: Mistakes,
): Record<string, string> {
  const fields = readMap(node, keyword, { supported }, mistakes) ?? new Map<string, Entry>();
  const result: Record<string, string> = {};
  for (const { key, value } of fields.values()) {
    const isNumber = key === "user" && value.kind === "scalar" && typeof value.value === "number";
    const text = isNumber ? value.text : readString(value, `${keyword}:${key}`, mistakes);
    if (text !== undefined) result[key] = text;
  }
  return result;
}

function pullPolicy(
  node: Node | undefined,
  keyword: string,
  mistakes: Mistakes,
): readonly string[] {
  if (!node) return [];
  const items = node.kind === "list" ? node.items : [node];
  const path = `${keyword}:pull_policy`;
  return items.flatMap((item) => readChoice(item, path, PULL_POLICIES, mistakes) ?? []);
}

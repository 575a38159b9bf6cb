// `cache`: one cache or up to four. The key that a runner sees ends with whether the ref is
// protected, so that a job of an unprotected branch cannot poison what a protected one restores.

import { createHash } from "node:crypto";
import { WHENS } from "./artifacts.ts";
import type { Mistakes } from "./mistakes.ts";
import { describe } from "./node.ts";
import type { Entry, Node } from "./node.ts";
import { readBoolean, readChoice, readMap, readString, readStrings } from "./read.ts";
import type { WireCache } from "./types.ts";

export interface CacheContext {
  readonly protectedRef: boolean;
  readonly readFile: ((path: string) => string | undefined) | undefined;
}

const KEYS = ["key", "paths", "untracked", "policy", "when", "fallback_keys", "unprotect"];
const MOST_CACHES = 4;
const MOST_FALLBACKS = 5;
const MOST_KEY_FILES = 2;
const DEFAULT_KEY = "default";

export function readCaches(
  node: Node,
  context: CacheContext,
  mistakes: Mistakes,
): readonly WireCache[] {
  const items = node.kind === "list" ? node.items : [node];
  if (items.length > MOST_CACHES) {
    const message = `cache lists ${items.length} caches; GitLab allows ${MOST_CACHES}.`;
    mistakes.report(node.at, "cache", message);
  }
  return items.flatMap((item) => readCache(item, context, mistakes) ?? []);
}

function readCache(node: Node, context: CacheContext, mistakes: Mistakes): WireCache | undefined {
  const fields = readMap(node, "cache", { supported: KEYS }, mistakes);
  if (!fields) return undefined;
  const read = <T>(
    key: string,
    reader: (node: Node, keyword: string, mistakes: Mistakes) => T,
  ): T | undefined => {
    const entry = fields.get(key);
    return entry && reader(entry.value, `cache:${key}`, mistakes);
  };
  const unprotect = read("unprotect", readBoolean) ?? false;
  const suffix = context.protectedRef && !unprotect ? "protected" : "non_protected";
  const key = fields.get("key");
  return {
    key: `${key ? readKey(key.value, context, mistakes) : DEFAULT_KEY}-${suffix}`,
    untracked: read("untracked", readBoolean) ?? false,
    policy: read("policy", readPolicy) ?? "pull-push",
    paths: read("paths", readStrings) ?? [],
    when:
      read("when", (value, keyword) => readChoice(value, keyword, WHENS, mistakes)) ?? "on_success",
    fallback_keys: (read("fallback_keys", readFallbacks) ?? []).map((each) => `${each}-${suffix}`),
  };
}

function readPolicy(node: Node, keyword: string, mistakes: Mistakes): string | undefined {
  const policy = readString(node, keyword, mistakes);
  const fits = policy === undefined || /^(?:pull-push|pull|push|\$\w+|\$\{\w+\})$/.test(policy);
  if (fits) return policy;
  const message = `${keyword} must be pull-push, pull, push or a variable, but is "${policy}".`;
  mistakes.report(node.at, keyword, message);
  return undefined;
}

function readFallbacks(node: Node, keyword: string, mistakes: Mistakes): readonly string[] {
  const keys = readStrings(node, keyword, mistakes);
  if (keys.length > MOST_FALLBACKS) {
    const message = `${keyword} lists ${keys.length} keys; GitLab allows ${MOST_FALLBACKS}.`;
    mistakes.report(node.at, keyword, message);
  }
  return keys;
}

function readKey(node: Node, context: CacheContext, mistakes: Mistakes): string {
  if (node.kind === "map") return readFilesKey(node, context, mistakes);
  if (node.kind !== "scalar") {
    const message = `cache:key must be a string or a map with files, but is ${describe(node)}.`;
    mistakes.report(node.at, "cache:key", message);
    return DEFAULT_KEY;
  }
  const key = readString(node, "cache:key", mistakes) ?? DEFAULT_KEY;
  checkPathless(node, "cache:key", key, mistakes);
  return key;
}

function readFilesKey(node: Node, context: CacheContext, mistakes: Mistakes): string {
  const known = {
    supported: ["files", "prefix"],
    refused: { files_commits: "write files; the key follows their content." },
  };
  const fields = readMap(node, "cache:key", known, mistakes);
  const files = fields?.get("files");
  const prefix = fields && readPrefix(fields, mistakes);
  if (!files) {
    mistakes.report(node.at, "cache:key", "cache:key is a map without files.");
    return DEFAULT_KEY;
  }
  const paths = readStrings(files.value, "cache:key:files", mistakes);
  if (paths.length > MOST_KEY_FILES) {
    const message = `cache:key:files names ${paths.length} files; GitLab allows ${MOST_KEY_FILES}.`;
    mistakes.report(files.value.at, "cache:key:files", message);
  }
  for (const path of paths.filter((each) => each.includes("*"))) {
    const message = `cache:key:files takes names of files, not the pattern "${path}".`;
    mistakes.report(files.value.at, "cache:key:files", message);
  }
  const digest = filesDigest(paths, context.readFile) ?? DEFAULT_KEY;
  return prefix === undefined ? digest : `${prefix}-${digest}`;
}

function readPrefix(fields: ReadonlyMap<string, Entry>, mistakes: Mistakes): string | undefined {
  const entry = fields.get("prefix");
  const prefix = entry && readString(entry.value, "cache:key:prefix", mistakes);
  if (entry && prefix) checkPathless(entry.value, "cache:key:prefix", prefix, mistakes);
  return prefix;
}

function checkPathless(node: Node, keyword: string, key: string, mistakes: Mistakes): void {
  const path = key.replace(/%2f/gi, "/").replace(/%2e/gi, ".");
  if (!path.includes("/") && path !== "." && path !== "..") return;
  mistakes.report(node.at, keyword, `${keyword} may not contain "/" nor be "." or "..".`);
}

/** As GitLab does it: over git's ids of the files' contents, whatever their order. */
function filesDigest(
  paths: readonly string[],
  readFile: ((path: string) => string | undefined) | undefined,
): string | undefined {
  const ids = new Set<string>();
  for (const path of paths) {
    const content = readFile?.(path);
    if (content === undefined) continue;
    const bytes = Buffer.from(content);
    ids.add(createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex"));
  }
  if (ids.size === 0) return undefined;
  return createHash("sha1")
    .update([...ids].toSorted().join("-"))
    .digest("hex");
}

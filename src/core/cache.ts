// What a job's caches are called, which are fetched and which are saved. Decisions only: no archive is
// touched here, and the hash function is handed in.

import type { CacheSpec } from "./job.ts";
import { selectPaths } from "./project-path.ts";
import { sanitizeCacheKey } from "./cache-key.ts";
import type { JobVariables } from "./variables.ts";

export interface CacheInput {
  readonly caches: readonly CacheSpec[];
  readonly jobName: string;
  readonly ref: string;
  readonly projectId: number;
  readonly projectDir: string;
  readonly variables: JobVariables;
  readonly store: {
    /** `Path` and `Shared` of the runner's `cache` settings. */
    readonly path: string;
    readonly shared: boolean;
    readonly shortToken: string;
  };
  /** FF_HASH_CACHE_KEYS. */
  readonly hashKeys: boolean;
  readonly sha256Hex: (text: string) => string;
}

/** Where one cache lies, in the store and on a local disk. */
export interface CacheAddress {
  /** As the log shows it. */
  readonly key: string;
  readonly objectName: string;
  /** Below the project's own cache folder. */
  readonly localName: string;
}

export type CacheRestore =
  /** The first of these that can be extracted. */
  | {
      readonly kind: "restore";
      readonly candidates: readonly CacheAddress[];
      readonly warnings: readonly string[];
    }
  | { readonly kind: "skip"; readonly message: string; readonly warnings: readonly string[] }
  /** The stage fails. */
  | { readonly kind: "invalid"; readonly message: string };

export type CacheSave =
  | {
      readonly kind: "save";
      readonly address: CacheAddress;
      readonly paths: readonly string[];
      readonly untracked: boolean;
      readonly warnings: readonly string[];
    }
  | { readonly kind: "skip"; readonly message: string; readonly warnings: readonly string[] }
  | { readonly kind: "invalid"; readonly message: string };

/** One decision per cache that has anything to hold. None: the stage has nothing to do. */
export function planCacheRestore(input: CacheInput): readonly CacheRestore[] {
  return input.caches.filter(hasContent).map((spec): CacheRestore => {
    const opening = openCache(spec, input, "pull");
    if (opening.kind !== "open") return opening;
    const fallbacks = fallbackAddresses(spec, input);
    const all = [opening.address, ...fallbacks.addresses];
    return {
      kind: "restore",
      candidates: all.filter((one, index) => all.findIndex((o) => o.key === one.key) === index),
      warnings: [...opening.warnings, ...fallbacks.warnings],
    };
  });
}

/** `scriptSucceeded` is about the script alone: an after_script changes nothing. */
export function planCacheSave(input: CacheInput, scriptSucceeded: boolean): readonly CacheSave[] {
  const due = input.caches.filter((spec) => wanted(spec.when, scriptSucceeded));
  return due.filter(hasContent).map((spec): CacheSave => {
    const opening = openCache(spec, input, "push");
    if (opening.kind !== "open") return opening;
    const { paths, warnings } = selectPaths(
      spec.paths.map(input.variables.expand),
      input.projectDir,
    );
    return {
      kind: "save",
      address: opening.address,
      paths,
      untracked: spec.untracked,
      warnings: [...opening.warnings, ...warnings],
    };
  });
}

/** How long a cache's transfer may take: CACHE_REQUEST_TIMEOUT is in minutes. */
export function cacheRequestTimeoutSeconds(variables: JobVariables): number {
  const text = variables.get("CACHE_REQUEST_TIMEOUT");
  return /^\d+$/.test(text) && Number(text) > 0 ? Number(text) * 60 : 600;
}

type Opening =
  | { readonly kind: "open"; readonly address: CacheAddress; readonly warnings: readonly string[] }
  | { readonly kind: "skip"; readonly message: string; readonly warnings: readonly string[] }
  | { readonly kind: "invalid"; readonly message: string };

function openCache(spec: CacheSpec, input: CacheInput, direction: "pull" | "push"): Opening {
  const { expand } = input.variables;
  const named = expand(spec.key);
  const rawKey = named === "" ? `${input.jobName}/${input.ref}` : named;
  const found = address(rawKey, input);
  if (found.kind === "unusable") {
    return {
      kind: "skip",
      message: `Skipping cache ${direction === "pull" ? "extraction" : "archiving"}: its key leaves no name`,
      warnings: [`The cache key ${JSON.stringify(rawKey)} cannot be made into a file name`],
    };
  }
  const policy = expand(spec.policy);
  if (!isPolicy(policy)) {
    const message = `unknown cache policy ${JSON.stringify(policy)} for ${found.address.key}: pull-push, pull or push`;
    return { kind: "invalid", message };
  }
  if (policy !== "" && policy !== "pull-push" && policy !== direction) {
    const verb = direction === "pull" ? "downloading" : "uploading";
    const message = `Not ${verb} cache ${found.address.key} due to policy`;
    return { kind: "skip", message, warnings: found.warnings };
  }
  return { kind: "open", address: found.address, warnings: found.warnings };
}

function fallbackAddresses(spec: CacheSpec, input: CacheInput) {
  const addresses: CacheAddress[] = [];
  const warnings: string[] = [];
  const add = (key: string) => {
    const found = address(key, input);
    if (found.kind === "unusable") {
      warnings.push(`The fallback key ${JSON.stringify(key)} cannot be made into a file name`);
    } else {
      addresses.push(found.address);
      warnings.push(...found.warnings);
    }
  };
  const { expand } = input.variables;
  spec.fallback_keys.map(expand).filter(isGiven).forEach(add);
  const common = input.variables.get("CACHE_FALLBACK_KEY");
  if (isReserved(common)) {
    warnings.push(
      "CACHE_FALLBACK_KEY may not end in -protected: caches of protected refs are not for every job",
    );
  } else if (isGiven(common)) {
    add(common);
  }
  return { addresses, warnings };
}

/** GitLab gives caches of protected refs this ending; a job must not get at them by naming one. */
function isReserved(key: string): boolean {
  return [key, sanitizeCacheKey(key) ?? ""].some((text) => /-protected[. ]*$/.test(text));
}

function address(
  rawKey: string,
  input: CacheInput,
):
  | {
      readonly kind: "address";
      readonly address: CacheAddress;
      readonly warnings: readonly string[];
    }
  | { readonly kind: "unusable" } {
  const { store } = input;
  const folder = [
    ...(store.path === "" ? [] : [store.path.replace(/^\/+|\/+$/g, "")]),
    ...(store.shared ? [] : [`runner/${store.shortToken}`]),
    `project/${String(input.projectId)}`,
  ].join("/");
  if (input.hashKeys) {
    const hash = input.sha256Hex(rawKey);
    return {
      kind: "address",
      address: {
        key: rawKey,
        objectName: `${folder}/${hash.slice(0, 2)}/${hash}`,
        localName: `${hash}/cache.zip`,
      },
      warnings: [],
    };
  }
  const key = sanitizeCacheKey(rawKey);
  if (key === undefined) return { kind: "unusable" };
  return {
    kind: "address",
    address: { key, objectName: `${folder}/${key}`, localName: `${key}/cache.zip` },
    warnings:
      key === rawKey
        ? []
        : [`The cache key ${JSON.stringify(rawKey)} is used as ${JSON.stringify(key)}`],
  };
}

function hasContent(spec: CacheSpec): boolean {
  return spec.paths.length > 0 || spec.untracked;
}

function wanted(when: string, scriptSucceeded: boolean): boolean {
  return when === "always" || (when === "on_failure" ? !scriptSucceeded : scriptSucceeded);
}

function isPolicy(text: string): boolean {
  return ["", "pull-push", "pull", "push"].includes(text);
}

function isGiven(text: string): boolean {
  return text !== "";
}

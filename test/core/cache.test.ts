import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import {
  cacheRequestTimeoutSeconds,
  planCacheRestore,
  planCacheSave,
} from "../../src/core/cache.ts";
import type { CacheInput, CacheRestore } from "../../src/core/cache.ts";
import { jobVariables } from "../../src/core/variables.ts";
import { buildJob } from "./build-job.ts";

const sha256Hex = (text: string) => createHash("sha256").update(text).digest("hex");

interface Changes extends Partial<Omit<CacheInput, "caches" | "variables">> {
  readonly variables?: Readonly<Record<string, string>>;
}

function input(cache: readonly unknown[], changes: Changes = {}): CacheInput {
  const { variables = {}, ...rest } = changes;
  return {
    caches: buildJob({ cache }).cache,
    jobName: "build",
    ref: "main",
    projectId: 7,
    projectDir: "/p",
    variables: jobVariables(
      Object.entries(variables).map(([key, value]) => ({ key, value })),
      { tempDir: "/p.tmp" },
    ),
    store: { path: "", shared: false, shortToken: "abcdefghi" },
    hashKeys: false,
    sha256Hex,
    ...rest,
  };
}

function keys(restore: CacheRestore | undefined): readonly string[] {
  if (restore?.kind !== "restore") throw new Error(`not restored but ${JSON.stringify(restore)}`);
  return restore.candidates.map((candidate) => candidate.key);
}

test("a cache is called after its key, per runner and project", () => {
  const [restore] = planCacheRestore(
    input([{ key: "$A-x", paths: ["v"] }], { variables: { A: "k" } }),
  );
  expect(restore).toEqual({
    kind: "restore",
    candidates: [
      { key: "k-x", objectName: "runner/abcdefghi/project/7/k-x", localName: "k-x/cache.zip" },
    ],
    warnings: [],
  });
});

test.each([
  ["a shared cache belongs to no runner", { path: "", shared: true }, "project/7/k"],
  ["a path goes in front", { path: "/ci/caches/", shared: true }, "ci/caches/project/7/k"],
  ["both", { path: "ci", shared: false }, "ci/runner/abcdefghi/project/7/k"],
])("%s", (_rule, store, objectName) => {
  const changes = { store: { ...store, shortToken: "abcdefghi" } };
  const [restore] = planCacheRestore(input([{ key: "k", paths: ["v"] }], changes));
  expect(restore).toMatchObject({ candidates: [{ objectName }] });
});

test.each([[""], ["$NOPE"]])("the key %j is job and ref", (key) => {
  expect(keys(planCacheRestore(input([{ key, paths: ["v"] }]))[0])).toEqual(["build/main"]);
});

test("C54 a key is made safe, and the log says so", () => {
  const [restore] = planCacheRestore(input([{ key: "../a\\b%2fc ", paths: ["v"] }]));
  expect(keys(restore)).toEqual(["a/b/c"]);
  expect(restore).toMatchObject({
    warnings: ['The cache key "../a\\\\b%2fc " is used as "a/b/c"'],
  });
});

test("a key of which nothing is left skips the cache with a warning", () => {
  expect(planCacheRestore(input([{ key: "..", paths: ["v"] }]))).toEqual([
    {
      kind: "skip",
      message: "Skipping cache extraction: its key leaves no name",
      warnings: ['The cache key ".." cannot be made into a file name'],
    },
  ]);
});

test("FF_HASH_CACHE_KEYS hashes the key as it is", () => {
  const raw = "../a b%2f";
  const [restore] = planCacheRestore(input([{ key: raw, paths: ["v"] }], { hashKeys: true }));
  const hash = sha256Hex(raw);
  expect(restore).toEqual({
    kind: "restore",
    candidates: [
      {
        key: raw,
        objectName: `runner/abcdefghi/project/7/${hash.slice(0, 2)}/${hash}`,
        localName: `${hash}/cache.zip`,
      },
    ],
    warnings: [],
  });
});

test("fallbacks come in order: the cache's own, then CACHE_FALLBACK_KEY, each once", () => {
  const cache = { key: "k", paths: ["v"], fallback_keys: ["$F", "", "two", "k"] };
  const variables = { F: "one", CACHE_FALLBACK_KEY: "common" };
  expect(keys(planCacheRestore(input([cache], { variables }))[0])).toEqual([
    "k",
    "one",
    "two",
    "common",
  ]);
});

test.each([
  "x-protected",
  "x-protected.",
  "x-protected ",
  "x-protected . .",
  "x-protected%2e",
  "x-protected/.",
])("C55 CACHE_FALLBACK_KEY %j is refused", (key) => {
  const changes = { variables: { CACHE_FALLBACK_KEY: key } };
  const [restore] = planCacheRestore(input([{ key: "k", paths: ["v"] }], changes));
  expect(keys(restore)).toEqual(["k"]);
  expect(restore).toMatchObject({
    warnings: [expect.stringContaining("CACHE_FALLBACK_KEY may not end in -protected")],
  });
});

test.each(["x-non_protected", "protected", "x-protected-y"])(
  "C55 CACHE_FALLBACK_KEY %j is taken",
  (key) => {
    const changes = { variables: { CACHE_FALLBACK_KEY: key } };
    expect(keys(planCacheRestore(input([{ key: "k", paths: ["v"] }], changes))[0])).toEqual([
      "k",
      key,
    ]);
  },
);

test.each([
  ["", "restore", "save"],
  ["pull-push", "restore", "save"],
  ["pull", "restore", "skip"],
  ["push", "skip", "save"],
  ["$POLICY", "restore", "skip"],
  ["never", "invalid", "invalid"],
])("policy %j: %s, %s", (policy, restoring, saving) => {
  const made = input([{ key: "k", paths: ["v"], policy }], { variables: { POLICY: "pull" } });
  expect(planCacheRestore(made)[0]?.kind).toBe(restoring);
  expect(planCacheSave(made, true)[0]?.kind).toBe(saving);
});

const withPolicy = (policy: string) => input([{ key: "k", paths: ["v"], policy }]);

test("what a policy forbids is said", () => {
  expect(planCacheRestore(withPolicy("push"))[0]).toMatchObject({
    message: "Not downloading cache k due to policy",
  });
  expect(planCacheSave(withPolicy("pull"), true)[0]).toMatchObject({
    message: "Not uploading cache k due to policy",
  });
  expect(planCacheSave(withPolicy("never"), true)[0]).toMatchObject({
    message: 'unknown cache policy "never" for k: pull-push, pull or push',
  });
});

test.each([
  ["", true, false],
  ["on_success", true, false],
  ["on_failure", false, true],
  ["always", true, true],
])("when %j: saved after success %s, after failure %s", (when, good, bad) => {
  const made = input([{ key: "k", paths: ["v"], when }]);
  expect(planCacheSave(made, true)).toHaveLength(good ? 1 : 0);
  expect(planCacheSave(made, false)).toHaveLength(bad ? 1 : 0);
});

test("a cache that holds nothing is passed over", () => {
  const made = input([{ key: "k" }, { key: "u", untracked: true }]);
  expect(planCacheRestore(made)).toHaveLength(1);
  expect(planCacheSave(made, true)).toMatchObject([{ address: { key: "u" }, untracked: true }]);
});

test("paths are expanded, and those outside the project left out", () => {
  const cache = { key: "k", paths: ["$D/*", "/p/in/", "/etc"] };
  expect(planCacheSave(input([cache], { variables: { D: "vendor" } }), true)).toMatchObject([
    {
      kind: "save",
      paths: ["vendor/*", "in"],
      warnings: ["/etc: is not inside the project directory /p, and is left out"],
    },
  ]);
});

test.each([
  ["", 600],
  ["2", 120],
  ["0", 600],
  ["soon", 600],
])("CACHE_REQUEST_TIMEOUT %j is %d s", (value, seconds) => {
  const variables = jobVariables([{ key: "CACHE_REQUEST_TIMEOUT", value }], { tempDir: "/t" });
  expect(cacheRequestTimeoutSeconds(variables)).toBe(seconds);
});

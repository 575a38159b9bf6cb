import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { PipelineInput } from "../../../src/stand-in/pipeline/types.ts";
import { jobOf, mistakesOf } from "./compiling.ts";

const cachesOf = (cache: string, over: Partial<PipelineInput> = {}) =>
  jobOf(`a: { script: a, cache: ${cache} }`, over).payload.cache;

const sha1 = (text: string) => createHash("sha1").update(text).digest("hex");

test("a cache has GitLab's defaults, and a key that says the ref is not protected", () => {
  expect(cachesOf("{ paths: [node_modules] }")).toEqual([
    {
      key: "default-non_protected",
      untracked: false,
      policy: "pull-push",
      paths: ["node_modules"],
      when: "on_success",
      fallback_keys: [],
    },
  ]);
});

test("all fields are given on", () => {
  const yaml =
    "{ key: $CI_COMMIT_REF_SLUG, paths: [a], untracked: true, policy: $P, when: always, fallback_keys: [one, two] }";
  expect(cachesOf(yaml)).toEqual([
    {
      key: "$CI_COMMIT_REF_SLUG-non_protected",
      untracked: true,
      policy: "$P",
      paths: ["a"],
      when: "always",
      fallback_keys: ["one-non_protected", "two-non_protected"],
    },
  ]);
});

test("on a protected ref the keys say so, unless the cache asks not to be protected", () => {
  const over = { variables: { CI_COMMIT_REF_PROTECTED: "true" } };
  const caches = cachesOf("[{ key: k, fallback_keys: [f] }, { key: u, unprotect: true }]", over);
  expect(caches).toMatchObject([
    { key: "k-protected", fallback_keys: ["f-protected"] },
    { key: "u-non_protected" },
  ]);
});

test("a key of files follows git's ids of their contents, in any order", () => {
  const files: Record<string, string> = { "a.lock": "one\n", "b.lock": "two\n" };
  const readFile = (path: string) => files[path];
  const blob = (text: string) => sha1(`blob ${text.length}\0${text}`);
  const digest = sha1([blob("one\n"), blob("two\n")].toSorted().join("-"));
  const keyOf = (key: string) => cachesOf(`{ key: ${key} }`, { readFile })?.[0]?.key;
  expect(keyOf("{ files: [a.lock, b.lock] }")).toBe(`${digest}-non_protected`);
  expect(keyOf("{ files: [b.lock, a.lock] }")).toBe(`${digest}-non_protected`);
  expect(keyOf("{ files: [a.lock], prefix: $JOB }")).toBe(
    `$JOB-${sha1(blob("one\n"))}-non_protected`,
  );
  expect(keyOf("{ files: [none.lock], prefix: p }")).toBe("p-default-non_protected");
});

test("an empty list of caches takes the default away", () => {
  expect(
    jobOf("default: { cache: { paths: [x] } }\na: { script: a, cache: [] }").payload.cache,
  ).toEqual([]);
});

test.each([
  ["text", "cache: cache must be a map, but is a string."],
  ["{ key: a/b }", 'cache:key: cache:key may not contain "/" nor be "." or "..".'],
  ["{ key: a%2Fb }", 'cache:key: cache:key may not contain "/" nor be "." or "..".'],
  ["{ key: '..' }", 'cache:key: cache:key may not contain "/" nor be "." or "..".'],
  ["{ key: 3 }", "cache:key: cache:key must be a string, but is the number 3; put it in quotes."],
  ["{ key: [a] }", "cache:key: cache:key must be a string or a map with files, but is a list."],
  ["{ key: { prefix: a } }", "cache:key: cache:key is a map without files."],
  [
    "{ key: { files: [a, b, c] } }",
    "cache:key:files: cache:key:files names 3 files; GitLab allows 2.",
  ],
  [
    "{ key: { files: ['*.lock'] } }",
    'cache:key:files: cache:key:files takes names of files, not the pattern "*.lock".',
  ],
  [
    "{ key: { files_commits: [a] } }",
    "cache:key:files_commits: cache:key:files_commits is not supported here: write files; the key follows their content.",
  ],
  [
    "{ policy: both }",
    'cache:policy: cache:policy must be pull-push, pull, push or a variable, but is "both".',
  ],
  [
    "{ when: manual }",
    'cache:when: cache:when must be one of on_success, on_failure, always, but is "manual".',
  ],
  [
    "{ fallback_keys: [a, b, c, d, e, f] }",
    "cache:fallback_keys: cache:fallback_keys lists 6 keys; GitLab allows 5.",
  ],
  ["[{}, {}, {}, {}, {}]", "cache: cache lists 5 caches; GitLab allows 4."],
  ["{ path: [a] }", 'cache:path: "path" is not a key of cache. Did you mean "paths"?'],
])("cache: %s is refused", (cache, mistake) => {
  expect(mistakesOf(`a: { script: a, cache: ${cache} }`)[0]).toBe(`1 ${mistake}`);
});

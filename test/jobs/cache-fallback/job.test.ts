import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace } = await runFolder(import.meta.url, {
  raw: [
    {
      name: "odd key",
      script: ["mkdir v && echo v > v/file"],
      cache: [{ key: "../a\\b%2fc ", paths: ["v"] }],
    },
  ],
});

const checked = (name: string) =>
  trace(name)
    .split("\n")
    .flatMap((line) => /^Checking cache for (.*)\.\.\.$/.exec(line)?.[1] ?? []);

test("several caches are kept by one job, each under its key", () => {
  const created = trace("seed").match(/(?<=Creating cache ).*(?=\.\.\.)/g);
  expect(created).toEqual([
    "base-protected",
    "open-non_protected",
    expect.stringMatching(/^files-[\da-f]{40}-protected$/),
  ]);
  expect(job("seed").status).toBe("success");
});

test("fallback_keys are tried in order until one is there", () => {
  expect(checked("fallback keys").slice(0, 3)).toEqual([
    "branch-protected",
    "other-protected",
    "base-protected",
  ]);
  expect(trace("fallback keys")).toContain("\nbase\nmodules\n");
});

test("what came by a fallback key is kept under the cache's own", () => {
  expect(trace("fallback keys")).toMatch(
    /\nCreating cache branch-protected\.\.\.\n.*\n.*\nCreated cache\n/,
  );
});

test("cache:key:files gives the same key to the same files", () => {
  const [, , , key] = checked("fallback keys");
  expect(trace("seed")).toContain(`Creating cache ${String(key)}...`);
});

test("CACHE_FALLBACK_KEY comes last", () => {
  expect(checked("fallback variable")).toEqual([
    "branch-fallback variable-protected",
    "open-non_protected",
  ]);
  expect(trace("fallback variable")).toContain("\nopen\n");
});

test("C55 CACHE_FALLBACK_KEY may not name a cache of protected refs, though it is there", () => {
  expect(checked("protected fallback")).toEqual(["branch-too-protected"]);
  expect(trace("protected fallback")).toContain(
    "\nWARNING: CACHE_FALLBACK_KEY may not end in -protected",
  );
  expect(job("protected fallback").status).toBe("success");
});

test("C54 a key becomes a plain path, and the log tells which", () => {
  expect(checked("odd key")).toEqual(["a/b/c"]);
  expect(trace("odd key")).toContain(
    '\nWARNING: The cache key "../a\\\\b%2fc " is used as "a/b/c"\n',
  );
  expect(trace("odd key")).toContain("\nCreating cache a/b/c...\n");
  expect(job("odd key").status).toBe("success");
});

import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace } = await runFolder(import.meta.url);

test("C53 a cache that cannot be kept is a warning, and fails no job", () => {
  const text = trace("with a cache");
  expect(text).toMatch(/\nWARNING: E[A-Z]+: .*\nWARNING: Failed to create cache\n/);
  expect(job("with a cache").status).toBe("success");
});

test("having nothing to cache is said, and fails no job", () => {
  const text = trace("with nothing in it");
  expect(text).toMatch(/\nWARNING: missing: no matching files/);
  expect(text).toContain("\nWARNING: No files to cache.\n");
  expect(job("with nothing in it").status).toBe("success");
});

test("a cache without paths and untracked has no stage at all", () => {
  expect(trace("without paths")).not.toMatch(/Restoring cache|Saving cache/);
});

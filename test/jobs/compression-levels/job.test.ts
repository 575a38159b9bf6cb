import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";
import { archiveOf, artifactOf } from "../artifact-content.ts";

const { job, trace, runner } = await runFolder(import.meta.url);

/** What the job kept as text, and as its artifact and its cache hold it. */
async function kept(level: string) {
  const name = level === "" ? "keep: []" : `keep: [${level}]`;
  const text = (await archiveOf(job(name)))["lines.txt"] ?? "";
  const caches = readdirSync(join(runner.folder, "cache"), { recursive: true, encoding: "utf8" });
  const cache = caches.find((path) => path.endsWith(`level-${level}-protected/cache.zip`)) ?? "";
  return {
    text: Buffer.from(text),
    artifact: readFileSync(artifactOf(job(name), "archive").file),
    cache: readFileSync(join(runner.folder, "cache", cache)),
  };
}

describe("ARTIFACT_COMPRESSION_LEVEL and CACHE_COMPRESSION_LEVEL are levels of deflate", () => {
  test.each([
    ["fast", 1],
    ["", 5],
    ["Slowest", 9],
    ["best", 5],
  ])("%j is %i", async (name, level) => {
    const { text, artifact, cache } = await kept(name);
    const packed = deflateRawSync(text, { level });
    expect(text.length).toBeGreaterThan(100_000);
    expect(artifact.includes(packed)).toBe(true);
    expect(cache.includes(packed)).toBe(true);
  });

  test("fastest packs nothing", async () => {
    const { text, artifact, cache } = await kept("fastest");
    expect(artifact.includes(text)).toBe(true);
    expect(cache.includes(text)).toBe(true);
  });
});

test("a level that there is not is a warning", () => {
  const levels = "must be one of fastest, fast, default, slow, slowest; using default";
  expect(trace("keep: [best]")).toContain(`\nWARNING: ARTIFACT_COMPRESSION_LEVEL ${levels}\n`);
  expect(trace("keep: [best]")).toContain(`\nWARNING: CACHE_COMPRESSION_LEVEL ${levels}\n`);
  expect(trace("keep: [fast]")).not.toContain("must be one of");
});

import { expect, test } from "vitest";
import { cacheCompression } from "../../../src/agent/cache/compression.ts";
import { jobVariables } from "../../../src/core/variables.ts";

function read(variables: Readonly<Record<string, string>>, hasZstd = true) {
  const list = Object.entries(variables).map(([key, value]) => ({ key, value }));
  return cacheCompression(jobVariables(list, { tempDir: "/p.tmp" }), hasZstd);
}

test.each([
  ["", "zip"],
  ["zip", "zip"],
  ["ZIP", "zip"],
  ["tarzstd", "tarzstd"],
  ["TarZstd", "tarzstd"],
])("CACHE_COMPRESSION_FORMAT %j is %s", (text, format) => {
  const quiet = { level: "default", lines: [], warnings: [] };
  expect(read({ CACHE_COMPRESSION_FORMAT: text })).toEqual({ format, ...quiet });
});

test("zipzstd is packed as tarzstd, and said", () => {
  const { format, lines } = read({ CACHE_COMPRESSION_FORMAT: "zipzstd" });
  expect({ format, lines }).toEqual({
    format: "tarzstd",
    lines: [expect.stringContaining("packed as tarzstd")],
  });
});

test.each(["tarzstd", "zipzstd"])("without zstd %s is packed as zip, and said", (text) => {
  const { format, lines, warnings } = read({ CACHE_COMPRESSION_FORMAT: text }, false);
  expect({ format, warnings }).toEqual({ format: "zip", warnings: [] });
  expect(lines).toEqual([expect.stringMatching(new RegExp(`^${text} .* no zstd .* as zip$`))]);
});

test("any other format, or level, is a warning", () => {
  const odd = { CACHE_COMPRESSION_FORMAT: "rar", CACHE_COMPRESSION_LEVEL: "best" };
  expect(read(odd)).toEqual({
    format: "zip",
    level: "default",
    lines: [],
    warnings: [
      "CACHE_COMPRESSION_LEVEL must be one of fastest, fast, default, slow, slowest; using default",
      "CACHE_COMPRESSION_FORMAT must be one of zip, tarzstd, zipzstd; using zip",
    ],
  });
});

test("CACHE_COMPRESSION_LEVEL is read as GitLab Runner reads it", () => {
  expect(read({ CACHE_COMPRESSION_LEVEL: "Slowest" }).level).toBe("slowest");
});

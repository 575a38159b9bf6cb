import { expect, test } from "vitest";
import { didYouMean, nearestName } from "../../src/core/nearest-name.ts";

const names = ["builds_dir", "cache_dir", "limit", "output_limit", "tls_ca_certificate", "image"];

test.each<[string, string, string | undefined]>([
  ["a letter too few", "build_dir", "builds_dir"],
  ["two letters swapped", "limti", "limit"],
  ["a letter replaced", "imege", "image"],
  ["dashes for underscores", "builds-dir", "builds_dir"],
  ["CamelCase as config.toml's cache section writes it", "OutputLimit", "output_limit"],
  ["the nearest of several near names", "cach_dir", "cache_dir"],
  ["nothing where all are far", "privileged", undefined],
  ["nothing for a short word that shares no letters", "xy", undefined],
  ["nothing for an empty word", "", undefined],
])("a misspelt name finds %s", (_, word, expected) => {
  expect(nearestName(word, names)).toBe(expected);
});

test("a suggestion is a question to be put behind a sentence, or nothing", () => {
  expect(`unknown setting "imgae"${didYouMean("imgae", names)}`).toBe(
    'unknown setting "imgae"; did you mean "image"?',
  );
  expect(didYouMean("zzzzzz", names)).toBe("");
});

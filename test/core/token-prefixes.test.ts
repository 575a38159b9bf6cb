import { expect, test } from "vitest";
import { createTokenPrefixMask, jobTokenPrefixes } from "../../src/core/token-prefixes.ts";
import { bytesOf, cutAtRandom, runBytes, runText, seededRandom, textOf } from "./filter-runs.ts";

test.each([
  ["C44 the prefix stays, the token goes", [], "glpat-abc", "glpat-[MASKED]"],
  ["C44 up to what cannot be in a token", [], "a glpat-aZ09-._=, b", "a glpat-[MASKED], b"],
  ["C44 within a word", [], "esseglpat-imper", "esseglpat-[MASKED]"],
  [
    "C44 over two writes",
    [],
    "glpat|-imp|erdiet Lorem gl|pat-x y",
    "glpat-[MASKED] Lorem glpat-[MASKED] y",
  ],
  ["C44 a write that ends with the prefix", [], "glpat-||x y", "glpat-[MASKED] y"],
  ["a prefix without a token stays", [], "glpat-| glpat-", "glpat- glpat-"],
  ["a token within a token is masked with it", [], "glpat-impglpat-erdiet x", "glpat-[MASKED] x"],
  ["an extra prefix", ["acme-"], "acme-1 glpat-2", "acme-[MASKED] glpat-[MASKED]"],
  ["the others of GitLab's only where they are given", [], "glrt-1", "glrt-1"],
  ["case matters", [], "GLPAT-1", "GLPAT-1"],
  [
    "the longer of two prefixes that end alike",
    ["tok-", "gltok-"],
    "gltok-1 tok-2",
    "gltok-[MASKED] tok-[MASKED]",
  ],
  ["a prefix that another begins with", ["gl"], "glpat-1 gl", "gl[MASKED] gl"],
  [
    "a prefix that begins within a token",
    ["tok:"],
    "glpat-abtok:SECRET x",
    "glpat-[MASKED]:[MASKED] x",
  ],
  ["a masked secret within a token is part of it", [], "glpat-ab[MASKED]cd e", "glpat-[MASKED] e"],
  ["a masked secret that is a token's beginning", [], "glpat-[MASKED]cd e", "glpat-[MASKED] e"],
  ["a token that is a masked secret", [], "glpat-[MASKED] e", "glpat-[MASKED] e"],
  ["a mask's text cut by a write", [], "glpat-ab[MA|SKED]cd e", "glpat-[MASKED] e"],
  ["what only begins like a mask", [], "glpat-ab[MA|D]cd e", "glpat-[MASKED][MAD]cd e"],
  ["what begins like a mask at the end", [], "glpat-ab[MA", "glpat-[MASKED][MA"],
  ["the end of the stream", [], "glpat-ab|c", "glpat-[MASKED]"],
])("%s", (_, prefixes, writes, expected) => {
  expect(runText(createTokenPrefixMask(prefixes), writes)).toBe(expected);
});

test("a job's prefixes are glpat-, its own, and GitLab's other ones", () => {
  const prefixes = jobTokenPrefixes(["acme-"], true);
  expect(prefixes).toHaveLength(15);
  expect(prefixes).toEqual(
    expect.arrayContaining(["glpat-", "acme-", "gloas-", "_gitlab_session="]),
  );
});

test("without FF_MASK_ALL_DEFAULT_TOKENS they are glpat- and its own", () => {
  expect(jobTokenPrefixes(["acme-", " acme- ", ""], false)).toEqual(["acme-", "glpat-"]);
});

test("of too many prefixes the 15 shortest are used", () => {
  const extra = Array.from({ length: 11 }, (_, index) => `mask${index + 1}-`);
  const mask = createTokenPrefixMask(jobTokenPrefixes(extra, true));
  expect(runText(mask, "mask1-a mask2-b mask7-c mask11-d glpat-e")).toBe(
    "mask1-[MASKED] mask2-[MASKED] mask7-c mask11-d glpat-[MASKED]",
  );
});

test("however a stream is cut, the same comes out", () => {
  const random = seededRandom(44);
  const prefixes = ["tok:", "a-", "gl", "x[M"];
  const text = "glpat-1 a-b-c tok:glpat-[MASKED]x[MASKED]y glpat-x[MASKE]a-1, a-é [MASKED] glpat-";
  const whole = runText(createTokenPrefixMask(prefixes), text);
  for (let round = 0; round < 500; round++) {
    const writes = cutAtRandom(random, bytesOf(text), 10);
    expect(textOf(runBytes(createTokenPrefixMask(prefixes), writes))).toBe(whole);
  }
});

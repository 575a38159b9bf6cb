import { expect, test } from "vitest";
import { shortToken } from "../../src/core/short-token.ts";

test.each([
  ["a runner's token loses its prefix", "glrt-abcdefghijklmnop", "abcdefghi"],
  ["the runner type after glrt- goes, too", "glrt-t1_abcdefghijklmnop", "abcdefghi"],
  ["of the types only t1 to t3 are known", "glrt-t4_abcdefghijklmnop", "t4_abcdef"],
  ["a registration token loses its prefix", "glrtr-abcdefghijklmnop", "abcdefghi"],
  ["a job's token loses its prefix", "glcbt-64_abcdefghijk", "64_abcdef"],
  ["an old registration token loses GR and seven digits", "GR1348941abcdefghijk", "abcdefghi"],
  ["a token without prefix is cut", "abcdefghijklmnop", "abcdefghi"],
  ["a short token stays whole", "glrt-abc", "abc"],
  ["no token gives nothing", "", ""],
])("%s", (_rule, token, short) => {
  expect(shortToken(token)).toBe(short);
});

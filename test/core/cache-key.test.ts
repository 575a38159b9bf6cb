import { expect, test } from "vitest";
import { sanitizeCacheKey } from "../../src/core/cache-key.ts";

test.each([
  ["C54 all at once", "../a\\b%2fc ", "a/b/c"],
  ["a plain key stays", "main-ruby", "main-ruby"],
  ["slashes stay", "job/feature/x", "job/feature/x"],
  ["encoded slashes are slashes", "a%2Fb%2fc", "a/b/c"],
  ["encoded dots are dots", "a/%2E%2e/b", "b"],
  ["backslashes are slashes", "job\\name/git\\ref", "job/name/git/ref"],
  ["an encoded backslash stays", "%5c", "%5c"],
  ["it cannot leave its root", "../../../etc", "etc"],
  ["a step back is taken", "a/b/c/../../d", "a/d"],
  ["more than two dots are a name", ".../....", ".../...."],
  ["blanks at the end go", "key \t\r\n", "key"],
  ["blanks in front stay", " key", " key"],
  ["blanks within stay", "a / b", "a / b"],
  ["trailing parts of blanks go", "key/ / \\", "key"],
  ["dots that trimming brings to light go", "a/.. ", "a"],
  ["the same for one dot", "a/. ", "a"],
  ["NUL goes", "a\0b", "ab"],
])("of a cache key: %s", (_rule, key, clean) => {
  expect(sanitizeCacheKey(key)).toBe(clean);
});

test.each(["", ".", "..", "/", "\\", " ", " / ", "a/..", "%2e%2E", "foo\\bar\\..\\..", "..  "])(
  "nothing is left of the key %j",
  (key) => {
    expect(sanitizeCacheKey(key)).toBeUndefined();
  },
);

test.each(["a", "a/b", "../x/./y ", "a\\..\\b", "...", "x/.. /..b "])(
  "cleaning the cleaned key %j changes nothing",
  (key) => {
    const clean = sanitizeCacheKey(key) ?? "";
    expect(sanitizeCacheKey(clean)).toBe(clean);
  },
);

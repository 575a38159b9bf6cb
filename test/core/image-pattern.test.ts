import { expect, test } from "vitest";
import { matchesPattern, patternError } from "../../src/core/image-pattern.ts";

test.each<[string, string, string, boolean]>([
  ["a name covers itself", "ruby:3.3", "ruby:3.3", true],
  ["a name covers no longer name", "ruby", "ruby:3.3", false],
  ["a dot is a dot", "ruby:3.3", "ruby:3x3", false],
  ["* covers any tag", "ruby:*", "ruby:3.3-alpine", true],
  ["* covers an empty rest", "ruby*", "ruby", true],
  ["* stays within one part of the path", "ruby*", "ruby/evil", false],
  ["* in front does not reach over a registry", "*ruby:*", "evil.example.com/ruby:1", false],
  ["*/*:* needs exactly one slash", "*/*:*", "ruby:3.3", false],
  ["** covers any depth", "registry.example.com/**", "registry.example.com/a/b/c:1", true],
  ["** at the end covers the path itself", "registry.example.com/**", "registry.example.com", true],
  [
    "** at the end does not cover a longer host",
    "registry.example.com/**",
    "registry.example.community/a",
    false,
  ],
  ["**/ in front may stand for nothing", "**/ruby:*", "ruby:3", true],
  ["**/ in front covers any registry", "**/ruby:*", "a.example.com/x/ruby:3", true],
  ["**/ in front does not cut a name", "**/ruby:*", "a/jruby:3", false],
  ["/**/ in the middle may stand for nothing", "a/**/b", "a/b", true],
  ["/**/ in the middle covers several parts", "a/**/b", "a/x/y/b", true],
  ["** within a part is a plain *", "a**", "a/b", false],
  ["** alone covers everything", "**", "a.example.com:5000/x:1", true],
  ["? is one character", "ruby:?", "ruby:3", true],
  ["? is not two characters", "ruby:?", "ruby:33", false],
  ["? is no slash", "a?b", "a/b", false],
  ["[..] is one of its characters", "ruby:[23]", "ruby:3", true],
  ["[a-c] is a range", "ruby:[2-4]", "ruby:5", false],
  ["[^..] is none of its characters", "ruby:[^2]", "ruby:3", true],
  ["[!..] is the same", "ruby:[!2]", "ruby:2", false],
  ["[^..] is no slash", "a[^x]b", "a/b", false],
  ["a dash at the edge of a set is a dash", "a[b-]", "a-", true],
  ["{a,b} is one of its alternatives", "{ruby,python}:*", "python:3", true],
  ["{a,b} is nothing else", "{ruby,python}:*", "php:8", false],
  ["alternatives may hold patterns and slashes", "{a/**,b:*}", "a/x/y", true],
  ["alternatives may be nested", "{a,b{c,d}}:1", "bd:1", true],
  ["a comma outside of braces is a comma", "a,b", "a,b", true],
  ["a backslash takes the next character as it is", String.raw`a\*`, "a*", true],
  ["a backslash takes the star's meaning away", String.raw`a\*`, "ab", false],
  ["characters of regular expressions mean nothing", "a+(b)|c$", "a+(b)|c$", true],
  ["case matters", "Ruby:*", "ruby:3", false],
  ["a malformed pattern covers nothing", "ruby:[", "ruby:[", false],
])("%s", (_, pattern, name, expected) => {
  expect(matchesPattern(pattern, name)).toBe(expected);
});

test.each<[string, string, string | undefined]>([
  ["a good pattern is not complained about", "registry.example.com/**/{a,b}:[0-9]*", undefined],
  ["an open brace", "{a,b", "a { has no matching }"],
  ["a closing brace alone", "a}", "a } has no matching {"],
  ["an open set", "a[bc", "a [ begins no set such as [a-z]"],
  ["an empty set", "a[]", "a [ begins no set such as [a-z]"],
  ["a range that runs backwards", "a[z-b]", "a [ begins no set such as [a-z]"],
  ["a backslash at the end", "a\\", "it ends in a backslash that escapes nothing"],
])("what is wrong with a pattern is said: %s", (_, pattern, complaint) => {
  expect(patternError(pattern)).toBe(complaint);
});

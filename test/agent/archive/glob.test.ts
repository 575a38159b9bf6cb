import { describe, expect, test } from "vitest";
import {
  compileGlob,
  globMatches,
  isPattern,
  splitPattern,
} from "../../../src/agent/archive/glob.ts";
import type { Glob } from "../../../src/agent/archive/glob.ts";

function compiled(pattern: string): Glob {
  const result = compileGlob(pattern);
  if (result.kind === "invalid") throw new Error(`${pattern}: ${result.message}`);
  return result.glob;
}

describe("which paths a pattern matches", () => {
  test.each([
    ["a star stays within one name", "out/*", ["out/a", "out/.hidden"], ["out", "out/a/b", "x/a"]],
    ["two stars are any number of directories", "**/*.o", ["a.o", "x/y/.z/a.o"], ["a.oo", "o"]],
    ["two stars at the end match the directory itself", "out/**", ["out", "out/a/b"], ["outer"]],
    ["two stars in the middle may be nothing", "a/**/b", ["a/b", "a/x/y/b"], ["ab", "a/b/c"]],
    ["two stars beside other characters are one star", "a**z", ["az", "a-z"], ["a/z"]],
    ["a question mark is one character, of any plane", "?.txt", ["é.txt", "😀.txt"], [".txt"]],
    ["a class matches one of its characters", "[a-cx].o", ["b.o", "x.o"], ["d.o", "ab.o"]],
    ["a class may be negated by ^", "[^a-c]", ["d", "-"], ["a"]],
    ["a class may be negated by !", "[!a-c]", ["d", "!"], ["b"]],
    ["a class takes escapes", "[\\]\\-a]", ["]", "-", "a"], ["\\"]],
    ["braces are alternatives", "*.{js,ts}", ["a.js", "a.ts"], ["a.{js,ts}", "a.tsx"]],
    [
      "alternatives may hold slashes and braces",
      "{a,b/{c,d}}/*.o",
      ["a/x.o", "b/d/x.o"],
      ["b/x.o"],
    ],
    ["alternatives may hold two stars", "{**,x}/y", ["y", "a/b/y", "x/y"], ["x"]],
    ["an alternative may be empty", "a{,.bak}", ["a", "a.bak"], ["a."]],
    ["a comma in a class does not part alternatives", "{[,x],b}", [",", "x", "b"], ["["]],
    ["a backslash takes the magic from the next character", "\\*\\{", ["*{"], ["a{"]],
    ["a name with a line break is a name", "**/*.log", ["a\nb/c\n.log"], []],
    ["blanks and dashes mean nothing", "- *", ["- x"], ["-x"]],
    ["parentheses, plus, dollar and bar mean nothing", "a+(b|c)$*", ["a+(b|c)$x"], ["ab"]],
    ["a leading exclamation mark means nothing", "!a*", ["!ab"], ["b"]],
    ["quotes mean nothing", '"a"*', ['"a"b'], ["ab"]],
    ["a plain path matches itself only", "a/b", ["a/b"], ["a", "a/b/c", "x/a/b"]],
  ])("%s", (_, pattern, matching, others) => {
    const glob = compiled(pattern);
    expect(matching.filter((path) => !globMatches(glob, path))).toEqual([]);
    expect(others.filter((path) => globMatches(glob, path))).toEqual([]);
  });
});

describe("a pattern that cannot be meant is refused with a reason", () => {
  test.each([
    ["an open class", "a[b", "a [ is not closed"],
    ["an empty class", "a[]", "a [ is not closed"],
    ["an open brace", "a{b,c", "a { is not closed"],
    ["a range upside down", "[z-a]", "the range z-a is upside down"],
    ["a backslash at the end", "a*\\", "nothing follows the last backslash"],
    ["braces that explode", "{a,b}".repeat(20), "more than 4096 patterns"],
  ])("%s", (_, pattern, reason) => {
    const result = compileGlob(pattern);
    expect(result.kind === "invalid" ? result.message : "compiled").toContain(reason);
  });
});

test("a walk stops where nothing below can match", () => {
  const glob = compiled("src/*/build/**/*.o");
  const at = (path: string): number =>
    path.split("/").reduce((state, name) => glob.step(state, name), glob.start).length;
  expect(at("src/x/build/y")).toBeGreaterThan(0);
  expect(at("node_modules")).toBe(0);
  expect(at("src/x/test")).toBe(0);
});

test("only * ? [ and { make a pattern", () => {
  expect(["a*", "a?", "a[", "a{"].map(isPattern)).toEqual([true, true, true, true]);
  expect(["a/b", "a(b)", "!a", "a]", "a+"].some(isPattern)).toBe(false);
});

test("a pattern is split where its first magic name begins", () => {
  expect(splitPattern("a/b/*.o")).toEqual({ base: "a/b", rest: "*.o" });
  expect(splitPattern("**/x")).toEqual({ base: "", rest: "**/x" });
  expect(splitPattern("a/b")).toEqual({ base: "a/b", rest: "" });
});

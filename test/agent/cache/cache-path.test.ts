import { describe, expect, test } from "vitest";
import { cachePath } from "../../../src/agent/cache/cache-path.ts";

const project = "runner/abc/project/7";

test.each([
  [`${project}/deps-protected`, `/c/${project}/deps-protected/cache.zip`],
  [`${project}/a/b/c`, `/c/${project}/a/b/c/cache.zip`],
  [`${project}/käse :$x`, `/c/${project}/k%C3%A4se%20%3A%24x/cache.zip`],
  [`${project}/100%`, `/c/${project}/100%25/cache.zip`],
])("%s lies at %s", (name, path) => {
  expect(cachePath("/c", name)).toBe(path);
});

describe("no name leads out of the folder", () => {
  test.each([
    "../../etc/passwd",
    `${project}/../../x`,
    `${project}/..`,
    "/etc/passwd",
    "..\\..\\x",
    "a/./b",
    "a//b",
    "",
    "....",
    "\0",
  ])("%j", (name) => {
    const path = cachePath("/c", name);
    expect(path.startsWith("/c/")).toBe(true);
    expect(path.split("/")).not.toContain("..");
    expect(path).toMatch(/^[\w./%-]*\/cache\.zip$/);
  });
});

test("every name has a path of its own, which is nobody else's folder", () => {
  const names = ["a", "a/b", "a/cache.zip", "a/cache%2Ezip", "a%2Fb", "a b", "a%20b", ".", "%2E"];
  const long = ["x".repeat(300), "x".repeat(301), "ä".repeat(100)];
  const paths = [...names, ...long].map((name) => cachePath("/c", name));
  expect(new Set(paths).size).toBe(paths.length);
  const isBelow = (path: string) => paths.some((other) => path.startsWith(`${other}/`));
  expect(paths.filter(isBelow)).toEqual([]);
});

test("names that are too long for a file system are hashed", () => {
  const path = cachePath("/c", `${project}/${"x".repeat(500)}`);
  expect(path).toMatch(/\/7\/%sha256-[\da-f]{64}\/cache\.zip$/);
});

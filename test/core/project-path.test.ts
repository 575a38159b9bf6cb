import { expect, test } from "vitest";
import { projectPath, selectPaths } from "../../src/core/project-path.ts";

test.each([
  ["a relative path stays", "a/b", "a/b"],
  ["a glob stays", "**/*.{xml,txt}", "**/*.{xml,txt}"],
  ["dots and doubled slashes go", "./a//b/./c/", "a/b/c"],
  ["a step back within the project is taken", "a/../b", "b"],
  ["an absolute path inside becomes relative", "/builds/g/p/out/x", "out/x"],
  ["an absolute path that winds its way inside becomes relative", "/builds/x/../g/p//out", "out"],
  ["the project itself is a dot", "/builds/g/p/", "."],
  ["a relative dot is the project", ".", "."],
])("%s", (_rule, path, relative) => {
  expect(projectPath(path, "/builds/g/p")).toEqual({ kind: "inside", relative });
});

test.each([
  ["a path above the project", "../x"],
  ["a path that leaves and returns", "../p/x"],
  ["a path that leaves by the way", "a/../../p/x"],
  ["an absolute path elsewhere", "/etc/passwd"],
  ["a neighbour whose name begins alike", "/builds/g/p2/x"],
  ["the project's temporary folder", "/builds/g/p.tmp/SECRET"],
  ["an absolute path that leaves the project", "/builds/g/p/../q"],
  ["the root", "/"],
])("%s is outside", (_rule, path) => {
  expect(projectPath(path, "/builds/g/p")).toEqual({ kind: "outside" });
});

test("what is outside is named and left out, what is empty just left out", () => {
  expect(selectPaths(["a", "", " ", "/etc", "b/"], "/p")).toEqual({
    paths: ["a", "b"],
    warnings: ["/etc: is not inside the project directory /p, and is left out"],
  });
});

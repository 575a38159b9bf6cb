import { expect, test } from "vitest";
import { resolveProjectDir } from "../../../src/agent/sources/project-dir.ts";
import type { ProjectDirInput } from "../../../src/agent/sources/project-dir.ts";
import { makeJob } from "./stage.ts";

function resolve(input: Partial<ProjectDirInput>, repositoryUrl?: string): string {
  return resolveProjectDir({
    job: makeJob(repositoryUrl === undefined ? {} : { repositoryUrl }),
    buildsDir: "/builds",
    layout: { kind: "docker" },
    strategy: "fetch",
    clonePath: "",
    clonePathAllowed: true,
    ...input,
  });
}

const shared = { kind: "shared", shortToken: "abcdefghi", concurrentProjectId: 3 } as const;

test.each<[string, Partial<ProjectDirInput>, string | undefined, string]>([
  ["a folder of its own", {}, undefined, "/builds/group/project"],
  ["a shared folder", { layout: shared }, undefined, "/builds/abcdefghi/3/group/project"],
  ["strategy empty", { strategy: "empty" }, undefined, "/builds/group/project-empty"],
  ["nested groups", {}, "https://u:p@host/a/b/c.d.git", "/builds/a/b/c.d"],
  ["a GitLab below a path", {}, "https://host/gitlab/a/b.git", "/builds/gitlab/a/b"],
  ["escapes in the address", {}, "https://host/a/b%20c.git", "/builds/a/b c"],
  ["an address with a detour", {}, "https://host/a/%2e%2e%2fb.git", "/builds/b"],
  ["no address", {}, "not a url", "/builds/project-42"],
  ["GIT_CLONE_PATH", { clonePath: "/builds/go/src/x/" }, undefined, "/builds/go/src/x"],
  ["GIT_CLONE_PATH by a detour", { clonePath: "/builds/a/../b" }, undefined, "/builds/b"],
  ["GIT_CLONE_PATH with dots in a name", { clonePath: "/builds/..a" }, undefined, "/builds/..a"],
])("%s", (_case, input, repositoryUrl, expected) => {
  expect(resolve(input, repositoryUrl)).toBe(expected);
});

test.each([
  ["outside", "/etc"],
  ["beside", "/builds-2/x"],
  ["above by a detour", "/builds/../x"],
  ["not absolute", "x/y"],
  ["builds_dir itself", "/builds/"],
])("a GIT_CLONE_PATH that is %s is an error of configuration", (_case, clonePath) => {
  const expected = `the GIT_CLONE_PATH=${JSON.stringify(clonePath)} has to be within "/builds"`;
  expect(() => resolve({ clonePath })).toThrow(
    expect.objectContaining({ reason: "runner_configuration_error", message: expected }),
  );
});

test("GIT_CLONE_PATH is refused where custom_build_dir is off", () => {
  expect(() => resolve({ clonePath: "/builds/x", clonePathAllowed: false })).toThrow(
    "setting GIT_CLONE_PATH is not allowed, enable `custom_build_dir` feature",
  );
});

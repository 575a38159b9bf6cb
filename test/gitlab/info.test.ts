import { expect, test } from "vitest";
import { SettingsError } from "../../src/core/errors.ts";
import { featuresOf } from "../../src/gitlab/features.ts";
import { runnerInfo } from "../../src/gitlab/info.ts";

const identity = { version: "1.2.3", executor: "process", shell: "bash" } as const;

test("features name every one that GitLab knows, each as a boolean", () => {
  const features = featuresOf("process");
  expect(Object.keys(features)).toHaveLength(31);
  expect(Object.values(features).every((value) => typeof value === "boolean")).toBe(true);
});

test("on the process executor there are no images, services, sessions or secrets", () => {
  const features = featuresOf("process");
  const absent = Object.entries(features).flatMap(([name, has]) => (has ? [] : [name]));
  expect(absent).toEqual([
    "image",
    "services",
    "session",
    "terminal",
    "proxy",
    "vault_secrets",
    "service_variables",
    "service_multiple_aliases",
    "image_executor_opts",
    "service_executor_opts",
    "native_steps_integration",
  ]);
});

test.each([
  ["linux", "x64", "linux", "amd64"],
  ["linux", "arm64", "linux", "arm64"],
  ["win32", "ia32", "windows", "386"],
  ["darwin", "arm64", "darwin", "arm64"],
])("%s/%s is named %s/%s, as GitLab names it", (platform, architecture, go, goArchitecture) => {
  const info = runnerInfo({ ...identity, platform, architecture });
  expect(info).toMatchObject({ platform: go, architecture: goArchitecture });
});

test("labels are sent where there are any", () => {
  expect(runnerInfo(identity)).not.toHaveProperty("labels");
  const labels = { region: "eu-west-1", "cost.center": "42" };
  expect(runnerInfo({ ...identity, labels }).labels).toEqual(labels);
});

test.each([
  [{ ab: "x" }, '"ab" is not possible'],
  [{ "-abc": "x" }, '"-abc" is not possible'],
  [{ abc: "" }, "label abc is not possible"],
  [{ abc: "a b" }, "label abc is not possible"],
  [
    Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`key${index}`, "v"])),
    "33 labels are too many",
  ],
])("labels that GitLab would refuse are refused before: %j", (labels, said) => {
  const make = () => runnerInfo({ ...identity, labels });
  expect(make).toThrow(SettingsError);
  expect(make).toThrow(said);
});

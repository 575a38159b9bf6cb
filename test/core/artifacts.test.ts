import { expect, test } from "vitest";
import {
  artifactDownloads,
  artifactFileName,
  artifactsToUpload,
  compressionLevel,
} from "../../src/core/artifacts.ts";
import type { ArtifactFormat } from "../../src/core/artifacts.ts";
import { jobVariables } from "../../src/core/variables.ts";
import { buildJob } from "./build-job.ts";

const variables = jobVariables([{ key: "NAME", value: "from-variable" }], { tempDir: "/p.tmp" });

const names = (artifacts: readonly unknown[], scriptSucceeded = true) =>
  artifactsToUpload(buildJob({ artifacts }).artifacts, scriptSucceeded).map(({ name }) => name);

const everyWhen = [
  { name: "unsaid", paths: ["a"] },
  { name: "empty", paths: ["a"], when: "" },
  { name: "success", paths: ["a"], when: "on_success" },
  { name: "failure", paths: ["a"], when: "on_failure" },
  { name: "always", paths: ["a"], when: "always" },
];

test("a good script's job uploads what is on_success, always or silent about it", () => {
  expect(names(everyWhen, true)).toEqual(["unsaid", "empty", "success", "always"]);
});

test("C52 a failed script's job uploads only what is on_failure or always", () => {
  expect(names(everyWhen, false)).toEqual(["failure", "always"]);
});

test("C52 a report is uploaded whatever happened", () => {
  const report = {
    name: "junit.xml",
    paths: ["junit.xml"],
    when: "always",
    artifact_type: "junit",
    artifact_format: "gzip",
  };
  for (const succeeded of [true, false]) {
    expect(names([report], succeeded)).toEqual(["junit.xml"]);
  }
});

test("an entry that names nothing is not uploaded", () => {
  expect(names([{ name: "x" }, { name: "y", paths: null }])).toEqual([]);
});

test("untracked files alone are something to upload", () => {
  expect(names([{ name: "x", untracked: true }])).toEqual(["x"]);
});

test.each<[string, string, ArtifactFormat, string]>([
  ["no name is artifacts", "", "zip", "artifacts.zip"],
  ["a name of which nothing is left is default", "$NOPE", "zip", "default.zip"],
  ["only the last part of a path is the name", "a/b/c", "zip", "c.zip"],
  ["a slash at the end does not count", "a/b/", "zip", "b.zip"],
  ["a name of slashes is default", "//", "zip", "default.zip"],
  ["a name of dots is default", "a/..", "zip", "default.zip"],
  ["variables are put in", "$NAME-1", "zip", "from-variable-1.zip"],
  ["gzip adds .gz", "junit.xml", "gzip", "junit.xml.gz"],
  ["raw keeps the name", "gl-sast-report.json", "raw", "gl-sast-report.json"],
])("of an artifact's file, %s", (_rule, name, format, fileName) => {
  expect(artifactFileName(name, variables.expand, format)).toBe(fileName);
});

test("C56 only dependencies that have a file are downloaded", () => {
  const job = buildJob({
    dependencies: [
      { id: 1, name: "none", token: "t" },
      { id: 2, name: "null", token: "t", artifacts_file: null },
      { id: 3, name: "empty", token: "t", artifacts_file: { filename: "", size: 0 } },
      { id: 4, name: "some", token: "t", artifacts_file: { filename: "a.zip", size: 9 } },
    ],
  });
  expect(artifactDownloads(job.dependencies).map(({ id }) => id)).toEqual([4]);
});

test.each([
  ["", "default", undefined],
  ["fastest", "fastest", undefined],
  ["Slow", "slow", undefined],
  ["9", "default", "L must be one of fastest, fast, default, slow, slowest; using default"],
])("compression level %j is %s", (value, level, warning) => {
  const reading = compressionLevel(jobVariables([{ key: "L", value }], { tempDir: "/t" }), "L");
  expect(reading.level).toBe(level);
  expect(reading.warning).toBe(warning);
});

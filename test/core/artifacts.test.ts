import { expect, test } from "vitest";
import {
  artifactDownloads,
  artifactFileName,
  compressionLevel,
  planUploads,
} from "../../src/core/artifacts.ts";
import type { ArtifactFormat } from "../../src/core/artifacts.ts";
import { jobVariables } from "../../src/core/variables.ts";
import { buildJob } from "./build-job.ts";

const variables = jobVariables(
  [
    { key: "NAME", value: "from-variable" },
    { key: "CI_PROJECT_DIR", value: "/p" },
    { key: "WEEK", value: "1 week" },
  ],
  { tempDir: "/p.tmp" },
);

function plan(artifacts: readonly unknown[], scriptSucceeded = true) {
  const job = buildJob({ artifacts });
  return planUploads({ artifacts: job.artifacts, scriptSucceeded, variables, projectDir: "/p" });
}

const names = (artifacts: readonly unknown[], scriptSucceeded: boolean) =>
  plan(artifacts, scriptSucceeded).uploads.map((upload) => upload.fileName);

const everyWhen = [
  { name: "unsaid", paths: ["a"] },
  { name: "empty", paths: ["a"], when: "" },
  { name: "success", paths: ["a"], when: "on_success" },
  { name: "failure", paths: ["a"], when: "on_failure" },
  { name: "always", paths: ["a"], when: "always" },
];

test("a good script's job uploads what is on_success, always or silent about it", () => {
  expect(names(everyWhen, true)).toEqual(["unsaid.zip", "empty.zip", "success.zip", "always.zip"]);
});

test("C52 a failed script's job uploads only what is on_failure or always", () => {
  expect(names(everyWhen, false)).toEqual(["failure.zip", "always.zip"]);
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
    expect(plan([report], succeeded).uploads).toMatchObject([
      { fileName: "junit.xml.gz", format: "gzip", artifactType: "junit", artifactFormat: "gzip" },
    ]);
  }
});

test("an upload says all that its request needs", () => {
  const artifact = {
    name: "$NAME",
    paths: ["$CI_PROJECT_DIR/out/*.txt", "./logs/"],
    exclude: ["**/*.tmp"],
    untracked: true,
    expire_in: "$WEEK",
    artifact_type: "archive",
  };
  expect(plan([artifact])).toEqual({
    uploads: [
      {
        fileName: "from-variable.zip",
        format: "zip",
        artifactType: "archive",
        artifactFormat: "",
        expireIn: "1 week",
        paths: ["out/*.txt", "logs"],
        exclude: ["**/*.tmp"],
        untracked: true,
      },
    ],
    warnings: [],
    failures: [],
  });
});

test("an entry that names nothing is not uploaded", () => {
  expect(plan([{ name: "x" }, { name: "y", paths: null }]).uploads).toEqual([]);
});

test("untracked files alone are something to upload", () => {
  expect(plan([{ name: "x", untracked: true }]).uploads).toMatchObject([
    { paths: [], untracked: true },
  ]);
});

test("a path outside the project is left out with a warning; the rest is uploaded", () => {
  const { uploads, warnings } = plan([{ paths: ["/etc/passwd", "../x", "/p/ok"] }]);
  expect(uploads).toMatchObject([{ paths: ["ok"] }]);
  expect(warnings).toEqual([
    "/etc/passwd: is not inside the project directory /p, and is left out",
    "../x: is not inside the project directory /p, and is left out",
  ]);
});

test("a path of which nothing is left names nothing, not the whole project", () => {
  expect(plan([{ paths: ["$NOPE"] }]).uploads).toMatchObject([{ paths: [] }]);
});

test("an unknown format fails the stage, the other entries are uploaded", () => {
  const { uploads, failures } = plan([{ paths: ["a"], artifact_format: "rar" }, { paths: ["b"] }]);
  expect(uploads).toMatchObject([{ paths: ["b"], format: "zip" }]);
  expect(failures).toEqual(['The artifact format "rar" is not known here; zip, gzip and raw are']);
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

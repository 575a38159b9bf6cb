import { expect, test } from "vitest";
import { REPORTS } from "../../../src/stand-in/pipeline/reports.ts";
import { jobOf, mistakesOf } from "./compiling.ts";

const artifactsOf = (artifacts: string) =>
  jobOf(`a: { script: a, artifacts: ${artifacts} }`).payload.artifacts;

test("an archive is one entry of type archive and format zip", () => {
  const yaml =
    "{ name: n, paths: [out/, '*.log'], exclude: [out/tmp], untracked: true, when: always, expire_in: 3 days, expose_as: x, access: developer }";
  expect(artifactsOf(yaml.replace("'*.log'", "b"))).toEqual([
    {
      name: "n",
      untracked: true,
      paths: ["out/", "b"],
      exclude: ["out/tmp"],
      when: "always",
      expire_in: "3 days",
      artifact_type: "archive",
      artifact_format: "zip",
    },
  ]);
});

test("an archive has GitLab's defaults", () => {
  expect(artifactsOf("{ paths: [out] }")).toEqual([
    {
      name: null,
      untracked: false,
      paths: ["out"],
      exclude: [],
      when: "on_success",
      expire_in: null,
      artifact_type: "archive",
      artifact_format: "zip",
    },
  ]);
});

test("each report is an entry of its own, always uploaded; without paths there is no archive", () => {
  const yaml =
    "{ when: on_failure, expire_in: never, reports: { junit: [a.xml, b.xml], dotenv: d.env, sast: s.json, lsif: l } }";
  const common = { untracked: false, exclude: [], when: "always", expire_in: "never" };
  expect(artifactsOf(yaml)).toEqual([
    {
      ...common,
      name: "junit.xml",
      paths: ["a.xml", "b.xml"],
      artifact_type: "junit",
      artifact_format: "gzip",
    },
    { ...common, name: ".env", paths: ["d.env"], artifact_type: "dotenv", artifact_format: "gzip" },
    {
      ...common,
      name: "gl-sast-report.json",
      paths: ["s.json"],
      artifact_type: "sast",
      artifact_format: "raw",
    },
    { ...common, name: "lsif.json", paths: ["l"], artifact_type: "lsif", artifact_format: "zip" },
  ]);
});

test.each(["cobertura", "jacoco"])("coverage_report arrives as %s", (format) => {
  const yaml = `{ reports: { coverage_report: { coverage_format: ${format}, path: c.xml } } }`;
  expect(artifactsOf(yaml)).toMatchObject([
    {
      artifact_type: format,
      artifact_format: "gzip",
      name: `${format}-coverage.xml`,
      paths: ["c.xml"],
    },
  ]);
});

test.each(Object.entries(REPORTS))("the report %s is known", (type, kind) => {
  expect(artifactsOf(`{ reports: { ${type}: x } }`)).toMatchObject([
    { artifact_type: type, artifact_format: kind.format, name: kind.name },
  ]);
});

test.each([
  ["[a]", "artifacts: artifacts must be a map, but is a list."],
  ["{ path: [a] }", 'artifacts:path: "path" is not a key of artifacts. Did you mean "paths"?'],
  ["{ paths: a }", "artifacts:paths: artifacts:paths must be a list of strings, but is a string."],
  [
    "{ paths: [1] }",
    "artifacts:paths: artifacts:paths must be a string, but is the number 1; put it in quotes.",
  ],
  [
    "{ paths: [a], when: never }",
    'artifacts:when: artifacts:when must be one of on_success, on_failure, always, but is "never".',
  ],
  [
    "{ paths: [a], untracked: 1 }",
    "artifacts:untracked: artifacts:untracked must be true or false, but is the number 1.",
  ],
  [
    "{ paths: [a], expire_in: soon }",
    'artifacts:expire_in: artifacts:expire_in must be a time like "3 days" or "1 week 2 hours", or "never", not "soon".',
  ],
  [
    "{ paths: [a], access: some }",
    'artifacts:access: artifacts:access must be one of all, developer, maintainer, none, but is "some".',
  ],
  [
    "{ paths: [a], access: all, public: true }",
    "artifacts:access: artifacts:public and artifacts:access say the same thing; keep one of them.",
  ],
  [
    "{ expose_as: x }",
    'artifacts:expose_as: artifacts:expose_as needs artifacts:paths, and no "*" in them.',
  ],
  [
    "{ expose_as: 'a/b', paths: [a] }",
    'artifacts:expose_as: artifacts:expose_as may have up to 100 letters, digits, "-", "_" and spaces.',
  ],
  [
    "{ reports: { junt: a } }",
    'artifacts:reports:junt: "junt" is not a key of artifacts:reports. Did you mean "junit"?',
  ],
  [
    "{ reports: { junit: { a: b } } }",
    "artifacts:reports:junit: artifacts:reports:junit must be a string, but is a map.",
  ],
  [
    "{ reports: { cobertura: a } }",
    "artifacts:reports:cobertura: artifacts:reports:cobertura is not supported here: GitLab removed it in 15.0; write coverage_report with coverage_format: cobertura and path.",
  ],
  [
    "{ reports: { coverage_report: { path: a } } }",
    "artifacts:reports:coverage_report: artifacts:reports:coverage_report needs both coverage_format and path.",
  ],
  [
    "{ reports: { coverage_report: { coverage_format: lcov, path: a } } }",
    'artifacts:reports:coverage_report:coverage_format: artifacts:reports:coverage_report:coverage_format must be one of cobertura, jacoco, but is "lcov".',
  ],
])("artifacts: %s is refused", (artifacts, mistake) => {
  expect(mistakesOf(`a: { script: a, artifacts: ${artifacts} }`)).toEqual([`1 ${mistake}`]);
});

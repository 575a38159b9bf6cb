import { expect, test } from "vitest";
import { jobsOf, mistakesOf, scriptOf, valuesOf } from "./compiling.ts";

const files: Readonly<Record<string, string>> = {
  "ci/base.yml":
    "variables: { A: base, B: base }\n.base: { script: base }\na: { script: from base, image: x }",
  "ci/more.yaml": "include: /ci/base.yml\nvariables: { B: more }",
  "ci/broken.yml": "a: [",
  "ci/wrong.yml": "w:\n  script: w\n  imaeg: x",
  "ci/round.yml": "include: ci/trip.yml\nr: { script: r }",
  "ci/trip.yml": "include: ci/round.yml",
};
const readFile = (path: string) => files[path];

test("included files are merged below the file that names them", () => {
  const yaml =
    "include: { local: ci/base.yml }\nvariables: { B: own }\na: { script: own }\nb: { extends: .base }";
  const jobs = jobsOf(yaml, { readFile });
  expect(jobs.map(({ name }) => name)).toEqual(["a", "b"]);
  expect(jobs[0]?.payload.image?.name).toBe("x");
  expect(jobs.map(scriptOf)).toEqual([["own"], ["base"]]);
  expect(jobs.map(valuesOf)).toEqual([
    { A: "base", B: "own" },
    { A: "base", B: "own" },
  ]);
});

test("included files may include, and several can be given in any form", () => {
  const yaml = "include: [ci/more.yaml, { local: /ci/wrong.yml }]\nw: { imaeg: null }";
  expect(mistakesOf(yaml, { readFile })[0]).toContain('"imaeg" is not a key of a job');
  const [job] = jobsOf("include: ci/more.yaml", { readFile });
  expect(job && valuesOf(job)).toEqual({ A: "base", B: "more" });
});

test("a mistake in an included file is told with its name and line", () => {
  expect(mistakesOf("include: ci/wrong.yml\na: { script: a, imaeg: 1 }", { readFile })).toEqual([
    '2 imaeg: "imaeg" is not a key of a job. Did you mean "image"?',
    '3 imaeg: ci/wrong.yml, line 3: "imaeg" is not a key of a job. Did you mean "image"?',
  ]);
  expect(mistakesOf("include: ci/broken.yml\na: { script: a }", { readFile })[0]).toContain(
    "yaml: ci/broken.yml, line 1: This is not valid YAML",
  );
});

test.each([
  ["include: ci/none.yml", 'The included file "ci/none.yml" does not exist in this commit.'],
  ["include: ci/*.yml", 'include takes the name of a file, not "ci/*.yml".'],
  ["include: ci/base.json", 'An included file ends in .yml or .yaml; "ci/base.json" does not.'],
  [
    "include: https://example.com/a.yml",
    "include:remote is not supported here: nothing is fetched",
  ],
  ["include: { remote: https://example.com/a.yml }", "include:remote is not supported here"],
  ["include: { project: a/b, file: c.yml }", "include:project is not supported here"],
  ["include: { template: Go.gitlab-ci.yml }", "include:template is not supported here"],
  ["include: { component: x }", "include:component is not supported here"],
  ["include: [{ local: ci/base.yml, rules: [] }]", "include:rules is not supported here"],
  ["include: [3]", "include must be a string, but is the number 3"],
  [
    "include: ci/round.yml",
    "include goes in a circle: ci/round.yml includes ci/trip.yml includes ci/round.yml.",
  ],
])("%s is refused: %s", (include, message) => {
  expect(mistakesOf(`${include}\na: { script: a }`, { readFile }).join("\n")).toContain(message);
});

test("without a project to read from there is no include", () => {
  expect(mistakesOf("include: ci/base.yml\na: { script: a }")).toEqual([
    "1 include: include is not supported here: there is no project to read from.",
  ]);
});

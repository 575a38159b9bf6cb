import { expect, test } from "vitest";
import { jobsOf, mistakesOf, namesOf, valuesOf } from "./compiling.ts";

test("parallel: 3 makes three jobs that know their place", () => {
  const jobs = jobsOf("a: { script: a, parallel: 3 }");
  expect(jobs.map(({ name, parallel }) => [name, parallel])).toEqual([
    ["a 1/3", { index: 1, total: 3 }],
    ["a 2/3", { index: 2, total: 3 }],
    ["a 3/3", { index: 3, total: 3 }],
  ]);
});

test("a matrix makes a job for every combination, the last variable changing fastest", () => {
  const jobs = jobsOf(`
a:
  script: a
  variables: { OS: none, Z: z }
  parallel:
    matrix:
      - { OS: [linux, mac], ARCH: [x86, arm] }
      - { OS: windows, VERSION: [10, 11] }
`);
  expect(jobs.map(({ name }) => name)).toEqual([
    "a: [linux, x86]",
    "a: [linux, arm]",
    "a: [mac, x86]",
    "a: [mac, arm]",
    "a: [windows, 10]",
    "a: [windows, 11]",
  ]);
  expect(valuesOf(jobs[1]!)).toEqual({ OS: "linux", ARCH: "arm", Z: "z" });
  expect(valuesOf(jobs[5]!)).toEqual({ OS: "windows", VERSION: "11", Z: "z" });
  expect(jobs[5]?.parallel).toEqual({ index: 6, total: 6 });
});

test("rules decide about each part of a matrix", () => {
  const yaml =
    "a: { script: a, parallel: { matrix: [{ A: [x, y] }] }, rules: [{ if: $A == 'y' }] }";
  expect(namesOf(yaml)).toEqual(["a: [y]"]);
});

test("rules can ask for the name, the stage and the place of a part", () => {
  const yaml = `
a: { script: a, parallel: 3, rules: [{ if: $CI_NODE_INDEX != "2" && $CI_NODE_TOTAL == "3" }] }
b: { script: b, rules: [{ if: $CI_JOB_NAME == "b" && $CI_JOB_STAGE == "test" && $CI_NODE_TOTAL == "1" }] }
`;
  expect(namesOf(yaml)).toEqual(["a 1/3", "a 3/3", "b"]);
});

test.each([
  ["0", "parallel: parallel must be a whole number from 1 to 200, but is the number 0."],
  ["201", "parallel: parallel must be a whole number from 1 to 200, but is the number 201."],
  ["many", "parallel: parallel must be a whole number from 1 to 200, but is a string."],
  ["{}", "parallel: parallel must be a number or a map with matrix."],
  ["{ matrix: {} }", "parallel:matrix: parallel:matrix must be a list of maps, but is a map."],
  ["{ matrix: [] }", "parallel:matrix: parallel:matrix must be a list of maps, but is a list."],
  [
    "{ matrix: [a] }",
    "parallel:matrix: parallel:matrix must hold maps of names and values, but here is a string.",
  ],
  ["{ matrix: [{ A: [] }] }", "parallel:matrix:A: parallel:matrix:A is an empty list."],
  [
    "{ matrix: [{ A: [[1]] }] }",
    "parallel:matrix:A: parallel:matrix:A must be a string, a number, or a list of them, but here is a list.",
  ],
  ["{ matrix: [{ A: [1, 1] }] }", 'parallel: parallel makes two jobs of the name "a: [1]".'],
])("parallel: %s is refused", (parallel, mistake) => {
  expect(mistakesOf(`a: { script: a, parallel: ${parallel} }`)).toEqual([`1 ${mistake}`]);
});

test("a matrix of more than 200 jobs is refused", () => {
  const list = `[${Array.from({ length: 15 }, (_, n) => n).join(", ")}]`;
  expect(
    mistakesOf(`a: { script: a, parallel: { matrix: [{ A: ${list}, B: ${list} }] } }`),
  ).toEqual(["1 parallel:matrix: parallel:matrix makes 225 jobs; GitLab allows 200."]);
});

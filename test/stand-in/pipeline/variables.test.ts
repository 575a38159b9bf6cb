import { expect, test } from "vitest";
import { jobOf, mistakesOf, valuesOf } from "./compiling.ts";

test("a job has the file's variables and its own, which win", () => {
  const yaml = "variables: { A: file, B: file }\na: { script: a, variables: { B: job, C: job } }";
  expect(valuesOf(jobOf(yaml))).toEqual({ A: "file", B: "job", C: "job" });
});

test("numbers and booleans become strings, as Ruby writes them", () => {
  const yaml =
    "a: { script: a, variables: { N: 42, F: 3.10, O: 1.0, M: 0644, T: yes, Q: 'yes', E: '' } }";
  expect(valuesOf(jobOf(yaml))).toEqual({
    N: "42",
    F: "3.1",
    O: "1.0",
    M: "420",
    T: "true",
    Q: "yes",
    E: "",
  });
});

test("expand: false makes a variable raw; a description changes nothing", () => {
  const job = jobOf(`
variables:
  PLAIN: { value: $A, description: something }
  CHOICE: { value: b, options: [a, b] }
a:
  script: a
  variables: { RAW: { value: $A, expand: false }, EXPANDED: { value: $A, expand: true } }
`);
  const raw = Object.fromEntries(job.payload.variables.map(({ key, raw }) => [key, raw]));
  expect(raw).toEqual({
    PLAIN: false,
    CHOICE: false,
    RAW: true,
    EXPANDED: false,
  });
});

test("what a pipeline file says is public and never masked", () => {
  expect(jobOf("a: { script: a, variables: { A: b } }").payload.variables.at(-1)).toEqual({
    key: "A",
    value: "b",
    public: true,
    masked: false,
    file: false,
    raw: false,
  });
});

test.each([
  ["variables: [a]", "1 variables: variables must be a map of names and values, but is a list."],
  [
    "variables: { A: }",
    '1 variables:A: variables:A must be a string or a number, but is nothing. Write "" for an empty value.',
  ],
  [
    "variables: { A: [b] }",
    "1 variables:A: variables:A must be a string, or a map with value and expand, but is a list.",
  ],
  [
    "variables: { A: { vale: b } }",
    '1 variables:A:vale: "vale" is not a key of variables:A. Did you mean "value"?',
  ],
  [
    "variables: { A: { value: c, options: [a, b] } }",
    "1 variables:A: The value of variables:A must be one of its options: a, b.",
  ],
  [
    "variables: { A: { value: c, expand: 1 } }",
    "1 variables:A:expand: variables:A:expand must be true or false, but is the number 1.",
  ],
])("%s is refused in the file", (yaml, mistake) => {
  expect(mistakesOf(`${yaml}\na: { script: a }`)).toEqual([mistake]);
});

test("description and options belong to the file's variables, not to a job's", () => {
  const yaml = "a:\n  script: a\n  variables:\n    A: { value: b, description: c, options: [b] }";
  expect(mistakesOf(yaml)).toEqual([
    "4 variables:A:description: variables:A:description is not supported here: only variables of the whole file have one.",
    "4 variables:A:options: variables:A:options is not supported here: only variables of the whole file have them.",
  ]);
});

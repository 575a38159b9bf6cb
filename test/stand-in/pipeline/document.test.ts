import { expect, test } from "vitest";
import { jobOf, jobsOf, mistakesOf, scriptOf, valuesOf, warningsOf } from "./compiling.ts";

test("an anchor can stand for a value anywhere", () => {
  const jobs = jobsOf(
    "a: { script: &lines [one, two] }\nb: { script: *lines }\nc: { script: [*lines, three] }",
  );
  expect(jobs.map(scriptOf)).toEqual([
    ["one", "two"],
    ["one", "two"],
    ["one", "two", "three"],
  ]);
});

test("a merge key takes over the keys of a map; keys below it win", () => {
  const job = jobOf(".base: &base { script: base, image: alpine }\na:\n  <<: *base\n  script: own");
  expect(scriptOf(job)).toEqual(["own"]);
  expect(job.payload.image?.name).toBe("alpine");
});

test("a merge key takes a list of maps; the earlier wins", () => {
  const yaml =
    ".one: &one { A: '1', B: '1' }\n.two: &two { B: '2', C: '2' }\na: { script: a, variables: { <<: [*one, *two], D: '3' } }";
  expect(valuesOf(jobOf(yaml))).toEqual({ A: "1", B: "1", C: "2", D: "3" });
});

test("a key above the merge key is overwritten by it, as in GitLab, with a warning", () => {
  const yaml = ".base: &base { script: base }\na:\n  script: own\n  <<: *base";
  expect(scriptOf(jobOf(yaml))).toEqual(["base"]);
  expect(warningsOf(yaml)).toEqual([
    '.gitlab-ci.yml, line 3: <<: "script" is overwritten by the merge key below it; put << first to keep it.',
  ]);
});

test("maps are not merged deeply by a merge key", () => {
  const yaml =
    ".base: &base { variables: { A: '1' } }\na: { <<: *base, script: a, variables: { B: '2' } }";
  expect(valuesOf(jobOf(yaml))).toEqual({ B: "2" });
});

test.each([
  ["", "1 yaml: The file is empty; it needs at least one job."],
  ["# only a comment\n", "1 yaml: The file is empty; it needs at least one job."],
  ["- a", "1 yaml: The top level of the file must be a map of keywords and jobs."],
  ["just text", "1 yaml: The top level of the file must be a map of keywords and jobs."],
  [
    "spec: { inputs: {} }\n---\na: { script: a }",
    "2 yaml: The file has more than one YAML document; spec:inputs headers are not supported.",
  ],
  [
    "a: { script: a }\n\tb: 1",
    "2 yaml: This is not valid YAML: Tabs are not allowed as indentation.",
  ],
  ["a: { script: *nope }", "1 yaml: No anchor &nope stands before *nope."],
  ["a: { script: a, variables: &v { A: *v } }", "1 yaml: The anchor &v contains itself."],
  ["a: { script: [&v [*v]] }", "1 yaml: The anchor &v contains itself."],
  [
    "a:\n  script: a\n  script: b",
    '3 script: "script" is already given on line 2; only one of the two can count.',
  ],
  [
    "a: { script: a }\nb: { script: b }\na: { script: c }",
    '3 a: "a" is already given on line 1; only one of the two can count.',
  ],
  [
    "a: { script: !shell a }",
    "1 yaml: The tag !shell is not known; the only tag there is here is !reference.",
  ],
  [
    "a: { <<: [1], script: a }",
    "1 <<: A merge key (<<) takes an alias of a map, or a list of such aliases.",
  ],
  [
    "a: { script: a, variables: { yes: b } }",
    "1 yaml: A key must be a string, not true; put it in quotes.",
  ],
  [
    "a: { script: a, variables: { [x]: b } }",
    "1 yaml: A key must be a string, not a list or map; put it in quotes.",
  ],
  [
    "a: { script: a, variables: { DAY: 2024-05-22 } }",
    "1 yaml: Without quotes GitLab reads 2024-05-22 as a date; put it in quotes.",
  ],
  [
    "a: { script: a, variables: { AT: 12:30 } }",
    "1 yaml: Without quotes GitLab reads 12:30 as a number to the base of 60; put it in quotes.",
  ],
])("the YAML %j is refused", (yaml, mistake) => {
  expect(mistakesOf(yaml)).toEqual([mistake]);
});

test("anchors that multiply to a huge file are refused, and quickly", () => {
  const levels = Array.from({ length: 12 }, (_, index) => {
    const below =
      index === 0 ? "[x, x]" : `[${Array.from({ length: 10 }, () => `*l${index - 1}`).join(", ")}]`;
    return `.l${index}: &l${index} ${below}`;
  });
  expect(mistakesOf(`${levels.join("\n")}\na: { script: a }`)).toEqual([
    "1 yaml: With its anchors expanded the file has over 50000 values.",
  ]);
});

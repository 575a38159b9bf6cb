import { expect, test } from "vitest";
import type { PipelineInput } from "../../../src/stand-in/pipeline/types.ts";
import { compile, jobOf, mistakesOf, namesOf, valuesOf, warningsOf } from "./compiling.ts";

const other = "\nother: { script: o }";

test.each([
  ["[]", undefined],
  ["[{ if: $NOPE }]", undefined],
  ["[{ if: $CI_COMMIT_BRANCH }]", "on_success"],
  ["[{ if: $CI_COMMIT_BRANCH, when: never }, { when: always }]", undefined],
  ["[{ if: $NOPE, when: never }, { when: always }]", "always"],
  [
    "[{ if: $NOPE, when: manual }, { if: $CI_COMMIT_BRANCH == 'main', when: on_failure }]",
    "on_failure",
  ],
  ["[[{ if: $NOPE }], [[{ when: manual }]]]", "manual"],
])("rules: %s give %s", (rules, when) => {
  const outcome = compile(`a: { script: a, rules: ${rules} }${other}`);
  const jobs = outcome.kind === "pipeline" ? outcome.jobs : [];
  expect(jobs.find(({ name }) => name === "a")?.when).toBe(when);
  expect(jobs.some(({ name }) => name === "other")).toBe(true);
});

test("a rule without when takes that of the job", () => {
  expect(jobOf("a: { script: a, when: manual, rules: [{ if: $CI_COMMIT_BRANCH }] }").when).toBe(
    "manual",
  );
});

test("the variables of the matching rule win over the job's", () => {
  const yaml = `
variables: { A: file, B: file }
a:
  script: a
  variables: { A: job, C: job }
  rules: [{ if: $NOPE, variables: { A: no } }, { variables: { A: rule, D: 1 } }]
`;
  expect(valuesOf(jobOf(yaml))).toEqual({ A: "rule", B: "file", C: "job", D: "1" });
});

test("rules see the variables of file and job, and those from outside win", () => {
  const yaml = `
variables: { WHERE: file, CI_COMMIT_BRANCH: file }
a: { script: a, rules: [{ if: $WHERE == 'file' }] }
b: { script: b, variables: { WHERE: job }, rules: [{ if: $WHERE == 'job' }] }
c: { script: c, rules: [{ if: $CI_COMMIT_BRANCH == 'main' }] }
`;
  expect(namesOf(yaml)).toEqual(["a", "b", "c"]);
  expect(namesOf(yaml, { variables: { WHERE: "job", CI_COMMIT_BRANCH: "main" } })).toEqual([
    "b",
    "c",
  ]);
});

test.each([
  ["rules: { if: $A }", "rules: rules must be a list of rules, but is a map."],
  ["rules: [$A]", "rules: rules must be a map, but is a string."],
  ["rules: [{}]", "rules: rules has an empty rule."],
  [
    "rules: [{ if: $A == }]",
    "rules:if: The condition of rules:if ends where a variable, a string or null should follow.",
  ],
  ["rules: [{ if: true }]", "rules:if: rules:if must be a string, but is true; put it in quotes."],
  [
    "rules: [{ when: sometimes }]",
    'rules:when: rules:when must be one of on_success, on_failure, always, manual, never, but is "sometimes".',
  ],
  [
    "rules: [{ allow_failure: { exit_codes: 1 } }]",
    "rules:allow_failure: rules:allow_failure must be true or false, but is a map.",
  ],
  [
    "rules: [{ changes: [a] }]",
    "rules:changes: rules:changes is not supported here: files are not compared with an earlier commit; write an if on a variable.",
  ],
  [
    "rules: [{ exists: [a] }]",
    "rules:exists: rules:exists is not supported here: files are not looked for; write an if on a variable.",
  ],
  [
    "rules: [{ needs: [a] }]",
    "rules:needs: rules:needs is not supported here: a rule cannot change needs; write two jobs.",
  ],
  ["rules: [{ iff: $A }]", 'rules:iff: "iff" is not a key of rules. Did you mean "if"?'],
])("%s is refused", (rules, mistake) => {
  expect(mistakesOf(`a: { script: a, ${rules} }`)).toEqual([`1 ${mistake}`]);
});

const on = (branch: string): Partial<PipelineInput> => ({
  ref: { name: branch, kind: "branch" },
  variables: { CI_COMMIT_BRANCH: branch },
});

test("workflow:rules decide whether there is a pipeline, and add variables", () => {
  const yaml = `
variables: { TARGET: none }
workflow:
  rules:
    - { if: $CI_COMMIT_BRANCH == 'main', variables: { TARGET: live } }
    - { if: $CI_COMMIT_BRANCH =~ /^wip/, when: never }
    - { if: $CI_COMMIT_BRANCH =~ /^test/, when: always }
a: { script: a, rules: [{ if: $TARGET == 'live', when: manual }, { when: always }] }
`;
  expect(jobOf(yaml, on("main"))).toMatchObject({ when: "manual" });
  expect(valuesOf(jobOf(yaml, on("main")))).toEqual({ TARGET: "live" });
  expect(jobOf(yaml, on("test-1"))).toMatchObject({ when: "always" });
  for (const branch of ["wip-1", "feature"])
    expect(mistakesOf(yaml, on(branch))).toEqual([
      `3 workflow:rules: There is no pipeline for the branch ${branch}: no rule of workflow:rules lets it in.`,
    ]);
});

test("workflow:name and auto_cancel are accepted with a warning; anything else is refused", () => {
  expect(warningsOf("workflow: { name: x, auto_cancel: {} }\na: { script: a }")).toHaveLength(2);
  expect(mistakesOf("workflow: { rules: [{ when: manual }] }\na: { script: a }")).toEqual([
    '1 workflow:rules:when: workflow:rules:when must be one of always, never, but is "manual".',
  ]);
  expect(mistakesOf("workflow: { rule: [] }\na: { script: a }")).toEqual([
    '1 workflow:rule: "rule" is not a key of workflow. Did you mean "rules"?',
  ]);
});

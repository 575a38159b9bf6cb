import { expect, test } from "vitest";
import { jobOf, jobsOf, mistakesOf, scriptOf, valuesOf } from "./compiling.ts";

test("a reference is replaced by what it names, in a list or as a whole value", () => {
  const jobs = jobsOf(`
.setup: { script: [one, two], variables: { A: a, B: b }, image: { name: x } }
a:
  script: [!reference [.setup, script], three]
  variables: !reference [.setup, variables]
  image: !reference [.setup, image, name]
b:
  script: !reference [.setup, script]
  variables: { A: !reference [.setup, variables, A], C: c }
`);
  expect(scriptOf(jobs[0])).toEqual(["one", "two", "three"]);
  expect(jobs[0]?.payload.image?.name).toBe("x");
  expect(scriptOf(jobs[1])).toEqual(["one", "two"]);
  expect(jobs.map(valuesOf)).toEqual([
    { A: "a", B: "b" },
    { A: "a", C: "c" },
  ]);
});

test("references may name references", () => {
  const job = jobOf(`
.one: { script: [one] }
.two: { script: [!reference [.one, script], two] }
a: { script: [!reference [.two, script], three] }
`);
  expect(scriptOf(job)).toEqual(["one", "two", "three"]);
});

test("rules can be collected by references", () => {
  const yaml = `
.rules: { rules: [{ if: $NOPE }, { if: $CI_COMMIT_BRANCH, when: manual }] }
a: { script: a, rules: [!reference [.rules, rules], { when: never }] }
`;
  expect(jobOf(yaml).when).toBe("manual");
});

const chain = (levels: number) =>
  Array.from({ length: levels }, (_, n) => `.l${n}: { script: !reference [.l${n + 1}, script] }`);

const ending = (levels: number) =>
  [...chain(levels), `.l${levels}: { script: x }`, "a: { script: !reference [.l0, script] }"].join(
    "\n",
  );

test("references may be ten deep, not more", () => {
  expect(mistakesOf(ending(9))).toEqual([]);
  expect(mistakesOf(ending(10)).join()).toContain("is nested more than 10 references deep");
});

test.each([
  [
    "a: { script: !reference [.x, script] }",
    "1 !reference: !reference [.x, script] was not found.",
  ],
  [
    ".x: { script: a }\na: { script: a, image: !reference [.x, image] }",
    "2 !reference: !reference [.x, image] was not found.",
  ],
  [
    ".y: { script: y }\n.x: { extends: .y }\na: { script: [!reference [.x, script]] }",
    "3 !reference: !reference [.x, script] was not found. (What a job has by extends",
  ],
  [
    "a: { script: [x, !reference [a, script]] }",
    "1 !reference: !reference [a, script] is part of a circle",
  ],
  ["a: { script: !reference [] }", "1 !reference: !reference takes a list of names"],
  ["a: { script: !reference [[x]] }", "1 !reference: !reference takes a list of names"],
])("the reference in %j is refused", (yaml, mistake) => {
  expect(mistakesOf(yaml)[0]).toContain(mistake);
});

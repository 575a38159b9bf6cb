import { expect, test } from "vitest";
import { jobOf, jobsOf, mistakesOf, scriptOf, valuesOf } from "./compiling.ts";

test("extends merges maps and replaces everything else", () => {
  const job = jobOf(`
.base:
  image: alpine
  script: [base, more]
  variables: { A: base, B: base }
  artifacts: { paths: [base], when: always }
a:
  extends: .base
  script: [own]
  variables: { B: own, C: own }
  artifacts: { paths: [own] }
`);
  expect(scriptOf(job)).toEqual(["own"]);
  expect(valuesOf(job)).toEqual({ A: "base", B: "own", C: "own" });
  expect(job.payload).toMatchObject({
    image: { name: "alpine" },
    artifacts: [{ paths: ["own"], when: "always" }],
  });
});

test("of several jobs extended the later wins", () => {
  const job = jobOf(`
.one: { script: one, variables: { A: one, B: one }, image: one }
.two: { script: two, variables: { B: two } }
a: { extends: [.one, .two] }
`);
  expect(scriptOf(job)).toEqual(["two"]);
  expect(valuesOf(job)).toEqual({ A: "one", B: "two" });
  expect(job.payload.image?.name).toBe("one");
});

test("extends goes over several levels, and over jobs that run", () => {
  const jobs = jobsOf(`
c: { extends: b, variables: { C: c } }
b: { extends: .a, variables: { B: b } }
.a: { script: a, variables: { A: a } }
`);
  expect(jobs.map(valuesOf)).toEqual([
    { A: "a", B: "b", C: "c" },
    { A: "a", B: "b" },
  ]);
});

test("nothing behind a keyword takes away what was extended", () => {
  const job = jobOf(
    ".base: { script: a, image: x, tags: [t] }\na: { extends: .base, image: null, tags: [] }",
  );
  expect(job.payload.image).toBeNull();
  expect(job.tags).toEqual([]);
});

test("a mistake in what is extended is told with the line where it stands", () => {
  expect(mistakesOf(".base:\n  imaeg: x\na:\n  extends: .base\n  script: a")).toEqual([
    '2 imaeg: "imaeg" is not a key of a job. Did you mean "image"?',
  ]);
});

const chain = (levels: number) =>
  Array.from({ length: levels }, (_, n) => `.l${n}: { extends: .l${n + 1} }`).join("\n");

test.each([
  [
    "a: { extends: .bse, script: a }\n.base: { script: b }",
    '1 extends: extends names ".bse", but there is no such job. Did you mean ".base"?',
  ],
  [
    "a: { extends: .x, script: a }\n.x: [1]",
    '1 extends: extends names ".x", which is not a map and so not a job.',
  ],
  ["a: { extends: a, script: a }", "1 extends: extends goes in a circle: a extends a."],
  [
    "a: { extends: 3, script: a }",
    "1 extends: extends must be a string, but is the number 3; put it in quotes.",
  ],
])("extends in %j is refused", (yaml, mistake) => {
  expect(mistakesOf(yaml)).toEqual([mistake]);
});

test("a circle over several jobs is told at each of them", () => {
  const yaml = "a: { extends: b, script: a }\nb: { extends: c }\nc: { extends: a }";
  expect(mistakesOf(yaml)).toContain(
    "3 extends: extends goes in a circle: a extends b extends c extends a.",
  );
});

const ending = (levels: number) => `${chain(levels)}\n.l${levels}: { script: x }`;

test("extends may be ten levels deep, not more", () => {
  expect(mistakesOf(`a: { extends: .l0 }\n${ending(9)}`)).toEqual([]);
  expect(mistakesOf(`a: { extends: .l0 }\n${ending(10)}`)[0]).toContain("more than 10 levels deep");
});

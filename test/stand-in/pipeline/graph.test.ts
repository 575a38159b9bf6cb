import { expect, test } from "vitest";
import { jobsOf, mistakesOf } from "./compiling.ts";

const linksOf = (yaml: string, name: string) => {
  const job = jobsOf(yaml).find((each) => each.name === name);
  return { needs: job?.needs, dependencies: job?.dependencies };
};

const build = "b: { stage: build, script: b }\n";

test("needs are names or maps, and say whether artifacts are wanted", () => {
  const yaml = `${build}c: { stage: build, script: c }\na: { script: a, needs: [b, { job: c, artifacts: false, optional: true }] }`;
  expect(linksOf(yaml, "a").needs).toEqual([
    { job: "b", artifacts: true, optional: false },
    { job: "c", artifacts: false, optional: true },
  ]);
});

test("no needs and needs: [] are different things", () => {
  expect(linksOf("a: { script: a }", "a").needs).toBeUndefined();
  expect(linksOf("a: { script: a, needs: [] }", "a").needs).toEqual([]);
});

test("a job of the same stage can be needed", () => {
  expect(linksOf("b: { script: b }\na: { script: a, needs: [b] }", "a").needs).toHaveLength(1);
});

test("who needs a parallel job needs all its parts, or those it names", () => {
  const parts = "b: { stage: build, script: b, parallel: { matrix: [{ X: [1, 2], Y: [3] }] } }\n";
  const needed = (needs: string) =>
    linksOf(`${parts}a: { script: a, needs: ${needs} }`, "a").needs?.map(({ job }) => job);
  expect(needed("[b]")).toEqual(["b: [1, 3]", "b: [2, 3]"]);
  expect(needed("['b: [2, 3]']")).toEqual(["b: [2, 3]"]);
  expect(needed("[{ job: b, parallel: { matrix: [{ X: 2, Y: 3 }] } }]")).toEqual(["b: [2, 3]"]);
});

test("dependencies name jobs, parallel ones with all their parts", () => {
  const yaml = `${build}p: { stage: build, script: p, parallel: 2 }\na: { script: a, dependencies: [b, p] }`;
  expect(linksOf(yaml, "a").dependencies).toEqual(["b", "p 1/2", "p 2/2"]);
  expect(linksOf("a: { script: a, dependencies: [] }", "a").dependencies).toEqual([]);
});

const left = "b: { stage: build, script: b, rules: [{ if: $NOPE }] }\n";

test("a need that rules leave out is refused, unless it is optional", () => {
  expect(mistakesOf(`${left}a: { script: a, needs: [b] }`)).toEqual([
    '2 needs: "a" needs "b", which its rules leave out of this pipeline; write optional: true at the need, or let the rules agree.',
  ]);
  expect(
    linksOf(`${left}a: { script: a, needs: [{ job: b, optional: true }] }`, "a").needs,
  ).toEqual([]);
  expect(linksOf(`${left}a: { script: a, dependencies: [b] }`, "a").dependencies).toEqual([]);
});

test("an optional need may name a job that does not exist", () => {
  expect(linksOf("a: { script: a, needs: [{ job: x, optional: true }] }", "a").needs).toEqual([]);
});

test.each([
  ["needs: b", "needs: needs must be a list of jobs, but is a string."],
  ["needs: [c]", 'needs: needs names "c", but there is no such job.'],
  [
    "needs: [z]",
    'needs: needs of "a" (stage test) names "z" of the later stage deploy; only jobs of the same or earlier stages can be named.',
  ],
  ["needs: [b, b]", 'needs: needs names "b" more than once.'],
  ["needs: [{ artifacts: true }]", "needs: A map in needs must have the key job."],
  [
    "needs: [{ job: b, artifacts: 1 }]",
    "needs:artifacts: needs:artifacts must be true or false, but is the number 1.",
  ],
  [
    "needs: [{ job: b, optinal: true }]",
    'needs:optinal: "optinal" is not a key of needs. Did you mean "optional"?',
  ],
  [
    "needs: [{ pipeline: x, job: y }]",
    "needs:pipeline: needs:pipeline is not supported here: there are no other pipelines to need a job of.",
  ],
  [
    "needs: [{ job: b, parallel: { matrix: [{ X: 1 }] } }]",
    'needs: needs names "b: [1]", but the parts of "b" are: b.',
  ],
  ["dependencies: b", "dependencies: dependencies must be a list of job names, but is a string."],
  [
    "dependencies: [z]",
    'dependencies: dependencies of "a" (stage test) names "z" of the later stage deploy; only jobs of the same or earlier stages can be named.',
  ],
  ["dependencies: [a]", 'dependencies: dependencies of "a" names the job itself.'],
  [
    "needs: [b], dependencies: [d]",
    'dependencies: dependencies names "d", which needs does not; add it there.',
  ],
])("%s is refused", (links, mistake) => {
  const rest = `${build}d: { stage: build, script: d }\nz: { stage: deploy, script: z }`;
  expect(mistakesOf(`a: { script: a, ${links} }\n${rest}`)[0]).toBe(`1 ${mistake}`);
});

test("a circle of needs is told at each of its jobs", () => {
  const yaml =
    "a: { script: a, needs: [b] }\nb: { script: b, needs: [c] }\nc: { script: c, needs: [a] }\nd: { script: d, needs: [a] }";
  expect(mistakesOf(yaml)).toEqual([
    "1 needs: needs goes in a circle: a needs b needs c needs a.",
    "2 needs: needs goes in a circle: b needs c needs a needs b.",
    "3 needs: needs goes in a circle: c needs a needs b needs c.",
  ]);
  expect(mistakesOf("a: { script: a, needs: [a] }")).toEqual([
    "1 needs: needs goes in a circle: a needs a.",
  ]);
});

test("more than 50 needs are refused", () => {
  const yaml = "b: { stage: build, script: b, parallel: 51 }\na: { script: a, needs: [b] }";
  expect(mistakesOf(yaml)).toEqual(['2 needs: "a" needs 51 jobs; GitLab allows 50.']);
});

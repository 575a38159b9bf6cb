import { expect, test } from "vitest";
import { parseJob } from "../../../src/core/job.ts";
import { compile, jobOf, jobsOf, mistakesOf, namesOf, scriptOf } from "./compiling.ts";

test("a job is compiled to the parts of a payload, with GitLab's defaults", () => {
  expect(compile("hello:\n  script: echo hello")).toEqual({
    kind: "pipeline",
    stages: ["test"],
    warnings: [],
    jobs: [
      {
        name: "hello",
        stage: "test",
        when: "on_success",
        allowFailure: false,
        retry: { max: 0, when: ["always"], exitCodes: [] },
        timeoutSeconds: undefined,
        tags: [],
        needs: undefined,
        dependencies: undefined,
        payload: {
          variables: [],
          steps: [
            {
              name: "script",
              script: ["echo hello"],
              timeout: 0,
              when: "on_success",
              allow_failure: false,
            },
          ],
          hooks: [],
          image: null,
          services: null,
          artifacts: null,
          cache: null,
        },
      },
    ],
  });
});

test("a job with everything has the shape that a runner reads", () => {
  const job = jobOf(`
a:
  image: { name: x, entrypoint: [""], docker: { user: "1000" } }
  services: [{ name: y, alias: z, command: [c], variables: { A: b } }]
  variables: { RAW: { value: $x, expand: false } }
  before_script: [one]
  script: [two]
  after_script: [three]
  hooks: { pre_get_sources_script: four }
  artifacts: { paths: [p], exclude: [e], reports: { junit: j.xml } }
  cache: { key: k, paths: [c] }
`);
  const parsed = parseJob({ id: 1, token: "t", ...job.payload });
  expect(parsed).toMatchObject({
    kind: "job",
    job: {
      image: { name: "x", entrypoint: [""], executor_opts: { docker: { user: "1000" } } },
      services: [{ name: "y", alias: "z", command: ["c"], variables: [{ key: "A" }] }],
      steps: [{ script: ["one", "two"] }, { name: "after_script", allow_failure: true }],
      hooks: [{ name: "pre_get_sources_script", script: ["four"] }],
      artifacts: [{ paths: ["p"], exclude: ["e"] }, { artifact_type: "junit" }],
      cache: [{ key: "k-non_protected", policy: "pull-push" }],
    },
  });
});

test("jobs keep the order of the file, stages that of the list, and only used stages are given", () => {
  const outcome = compile(`
stages: [lint, build, test]
b: { stage: test, script: b }
a: { stage: lint, script: a }
z: { stage: .post, script: z }
`);
  expect(outcome).toMatchObject({
    stages: ["lint", "test", ".post"],
    jobs: [{ name: "b" }, { name: "a" }, { name: "z" }],
  });
});

test("without stages there are .pre, build, test, deploy and .post", () => {
  const outcome = compile(`
d: { stage: deploy, script: d }
p: { stage: .pre, script: p }
b: { stage: build, script: b }
t: { script: t }
`);
  expect(outcome).toMatchObject({ stages: [".pre", "build", "test", "deploy"] });
});

test("a job takes what default says, and its own keywords win", () => {
  const jobs = jobsOf(`
default:
  image: alpine
  before_script: [prepare]
  after_script: [tidy]
  tags: [linux]
  timeout: 1h
  retry: 1
  hooks: { pre_get_sources_script: echo hook }
  artifacts: { paths: [out] }
a: { script: a }
b: { script: b, image: debian, before_script: [], after_script: null, tags: [arm], retry: 0 }
`);
  expect(jobs[0]).toMatchObject({
    tags: ["linux"],
    timeoutSeconds: 3600,
    retry: { max: 1 },
    payload: {
      image: { name: "alpine" },
      steps: [
        { name: "script", script: ["prepare", "a"], timeout: 3600 },
        { name: "after_script", script: ["tidy"], timeout: 3600 },
      ],
      hooks: [{ name: "pre_get_sources_script", script: ["echo hook"] }],
      artifacts: [{ paths: ["out"] }],
    },
  });
  expect(jobs[1]).toMatchObject({
    tags: ["arm"],
    retry: { max: 0 },
    payload: { image: { name: "debian" } },
  });
  expect(scriptOf(jobs[1])).toEqual(["b"]);
  expect(jobs[1]?.payload.steps[1]?.script).toEqual(["tidy"]);
});

test("image, services, before_script, after_script and cache at the top level are defaults too", () => {
  const job = jobOf(`
image: alpine
services: [redis]
before_script: [prepare]
after_script: [tidy]
cache: { paths: [c] }
a: { script: a }
`);
  expect(job.payload).toMatchObject({
    image: { name: "alpine" },
    services: [{ name: "redis" }],
    steps: [{ script: ["prepare", "a"] }, { script: ["tidy"] }],
    cache: [{ paths: ["c"] }],
  });
});

test("hidden jobs do not run, whatever they hold", () => {
  const yaml = ".list: [1]\n.base: { environment: x }\n.text: hello\na: { script: a }";
  expect(namesOf(yaml)).toEqual(["a"]);
});

test("a file without jobs is refused", () => {
  expect(mistakesOf("stages: [a]\n.base: { script: a }")).toEqual([
    "1 job: The file has no job; it needs at least one with a script.",
  ]);
});

test("a pipeline whose jobs are all left out, or only .pre and .post, is refused", () => {
  expect(mistakesOf("a: { script: a, rules: [{ when: never }] }")).toEqual([
    "1 rules: The pipeline has no jobs: the rules of every job leave it out.",
  ]);
  expect(mistakesOf("a: { script: a, stage: .pre }\nb: { script: b, stage: .post }")).toEqual([
    "1 rules: The pipeline has jobs only in .pre and .post; it needs one between them.",
  ]);
});

test("all mistakes are told at once, in the order of the lines", () => {
  const yaml = `
stages: [build]
build:
  stage: biuld
  scirpt: make
  image: 3
test:
  stage: build
  script: [make test]
  needs: [buld]
  environment: production
  retry: 5
`;
  expect(mistakesOf(yaml)).toEqual([
    '3 script: The job "build" has no script; every job needs one.',
    '4 stage: There is no stage "biuld". Did you mean "build"? The stages are: .pre, build, .post.',
    '5 scirpt: "scirpt" is not a key of a job. Did you mean "script"?',
    "6 image: image must be a string, but is the number 3; put it in quotes.",
    '10 needs: needs names "buld", but there is no such job. Did you mean "build"?',
    "11 environment: environment is not supported here: there are no environments or deployments; set what the script needs in variables.",
    "12 retry: retry must be a whole number from 0 to 2, but is the number 5.",
  ]);
});

test("a mistake in a job that many extend is told once", () => {
  const yaml =
    ".base:\n  image: 3\n  environment: x\na: { extends: .base, script: a }\nb: { extends: .base, script: b }";
  expect(mistakesOf(yaml)).toHaveLength(2);
});

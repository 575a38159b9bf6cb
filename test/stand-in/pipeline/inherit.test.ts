import { expect, test } from "vitest";
import { jobOf, mistakesOf, scriptOf, valuesOf } from "./compiling.ts";

const head = "default: { image: x, before_script: [b], tags: [t] }\nvariables: { A: a, B: b }\n";

test.each([
  ["{ default: false }", { image: null, script: ["a"], tags: [], values: { A: "a", B: "b" } }],
  ["{ default: [image] }", { image: "x", script: ["a"], tags: [], values: { A: "a", B: "b" } }],
  [
    "{ default: true, variables: false }",
    { image: "x", script: ["b", "a"], tags: ["t"], values: {} },
  ],
  ["{ variables: [B] }", { image: "x", script: ["b", "a"], tags: ["t"], values: { B: "b" } }],
])("inherit: %s takes only what it says", (inherit, expected) => {
  const job = jobOf(`${head}a: { script: a, inherit: ${inherit} }`);
  expect({
    image: job.payload.image?.name ?? null,
    script: scriptOf(job),
    tags: job.tags,
    values: valuesOf(job),
  }).toEqual(expected);
});

test.each([
  [
    "{ default: 1 }",
    "inherit:default: inherit:default must be true, false or a list of names, but is the number 1.",
  ],
  [
    "{ default: [imag] }",
    'inherit:default: inherit:default names "imag"; there are: image, services,',
  ],
  [
    "{ jobs: true }",
    'inherit:jobs: "jobs" is not a key of inherit. Supported are: default, variables.',
  ],
  ["true", "inherit: inherit must be a map, but is true."],
])("inherit: %s is refused", (inherit, mistake) => {
  expect(mistakesOf(`a: { script: a, inherit: ${inherit} }`)[0]).toContain(`1 ${mistake}`);
});

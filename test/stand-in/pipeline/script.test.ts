import { expect, test } from "vitest";
import { jobOf, mistakesOf, scriptOf } from "./compiling.ts";

test("before_script stands in front of script in one step, after_script in a step of its own", () => {
  const job = jobOf("a: { before_script: [one, two], script: [three], after_script: four }");
  expect(job.payload.steps).toEqual([
    {
      name: "script",
      script: ["one", "two", "three"],
      timeout: 0,
      when: "on_success",
      allow_failure: false,
    },
    { name: "after_script", script: ["four"], timeout: 0, when: "always", allow_failure: true },
  ]);
});

test("lines of several lines stay one entry", () => {
  const yaml =
    "a:\n  script:\n    - |\n      if true; then\n        echo yes\n      fi\n    - >-\n      echo\n      folded\n";
  expect(scriptOf(jobOf(yaml))).toEqual(["if true; then\n  echo yes\nfi\n", "echo folded"]);
});

const nested = (levels: number) => `a: { script: ${"[".repeat(levels)}x${"]".repeat(levels)} }`;

test("lists in lists are flattened, up to ten levels", () => {
  expect(scriptOf(jobOf("a: { script: [one, [two, [three]], four] }"))).toEqual([
    "one",
    "two",
    "three",
    "four",
  ]);
  expect(scriptOf(jobOf(nested(10)))).toEqual(["x"]);
  expect(mistakesOf(nested(11))).toEqual(["1 script: script is nested more than 10 lists deep."]);
});

test("hooks are given with their scripts", () => {
  const yaml =
    "a: { script: a, hooks: { post_get_sources_script: [x, [y]], pre_get_sources_script: z } }";
  expect(jobOf(yaml).payload.hooks).toEqual([
    { name: "pre_get_sources_script", script: ["z"] },
    { name: "post_get_sources_script", script: ["x", "y"] },
  ]);
});

test.each([
  [
    "a: { script: 3 }",
    "1 script: script must be a string or a list of strings, but is the number 3.",
  ],
  [
    "a: { script: { x: y } }",
    "1 script: script must be a string or a list of strings, but is a map.",
  ],
  [
    "a:\n  script:\n    - ok\n    - 3",
    "4 script: Every line of script must be a string, but this is the number 3.",
  ],
  [
    "a:\n  script:\n    - echo hi: there",
    '3 script: Every line of script must be a string, but this is a map. Put quotes around a command that contains ": ".',
  ],
  [
    "a: { script: a, after_script: true }",
    "1 after_script: after_script must be a string or a list of strings, but is true.",
  ],
])("the script of %j is refused", (yaml, mistake) => {
  expect(mistakesOf(yaml)).toEqual([mistake]);
});

import { expect, test } from "vitest";
import { jobOf, mistakesOf } from "./compiling.ts";

test.each([
  ["2", { max: 2, when: ["always"], exitCodes: [] }],
  ["{ max: 1 }", { max: 1, when: ["always"], exitCodes: [] }],
  ["{ max: 1, when: script_failure }", { max: 1, when: ["script_failure"], exitCodes: [] }],
  [
    "{ max: 2, when: [runner_system_failure, job_execution_timeout] }",
    { max: 2, when: ["runner_system_failure", "job_execution_timeout"], exitCodes: [] },
  ],
  ["{ max: 2, exit_codes: 137 }", { max: 2, when: [], exitCodes: [137] }],
  [
    "{ max: 2, exit_codes: [1, 2], when: api_failure }",
    { max: 2, when: ["api_failure"], exitCodes: [1, 2] },
  ],
])("retry: %s", (retry, expected) => {
  expect(jobOf(`a: { script: a, retry: ${retry} }`).retry).toEqual(expected);
});

test.each([
  ["3", "retry: retry must be a whole number from 0 to 2, but is the number 3."],
  ["1.5", "retry: retry must be a whole number from 0 to 2, but is the number 1.5."],
  ["always", "retry: retry must be a number from 0 to 2 or a map, but is a string."],
  [
    "{ maximum: 1 }",
    'retry:maximum: "maximum" is not a key of retry. Supported are: max, when, exit_codes.',
  ],
  [
    "{ max: 1, exit_codes: [x] }",
    "retry:exit_codes: retry:exit_codes must be a whole number from 0 to 255, but is a string.",
  ],
  ["{ max: 1, exit_codes: [] }", "retry:exit_codes: retry:exit_codes is an empty list."],
])("retry: %s is refused", (retry, mistake) => {
  expect(mistakesOf(`a: { script: a, retry: ${retry} }`)).toEqual([`1 ${mistake}`]);
});

test("an unknown reason is answered with the nearest one", () => {
  expect(mistakesOf("a: { script: a, retry: { max: 1, when: script_failed } }")[0]).toContain(
    '"script_failed" is not a reason that retry:when knows. Did you mean "script_failure"? Known are: always,',
  );
});

test.each([
  ["{ script: a }", false],
  ["{ script: a, allow_failure: true }", true],
  ["{ script: a, allow_failure: { exit_codes: 3 } }", { exitCodes: [3] }],
  ["{ script: a, allow_failure: { exit_codes: [3, 4] } }", { exitCodes: [3, 4] }],
  ["{ script: a, when: manual }", true],
  ["{ script: a, when: manual, allow_failure: false }", false],
  ["{ script: a, when: manual, rules: [{ if: $CI_COMMIT_BRANCH }] }", true],
  ["{ script: a, rules: [{ when: manual }] }", false],
  ["{ script: a, rules: [{ when: manual, allow_failure: true }] }", true],
  ["{ script: a, allow_failure: true, rules: [{ allow_failure: false }] }", false],
  ["{ script: a, allow_failure: { exit_codes: 3 }, rules: [{ allow_failure: true }] }", true],
  [
    "{ script: a, allow_failure: { exit_codes: 3 }, rules: [{ when: always }] }",
    { exitCodes: [3] },
  ],
])("may the job %s fail? %j", (job, expected) => {
  expect(jobOf(`a: ${job}`).allowFailure).toEqual(expected);
});

test.each([
  [
    "maybe",
    "allow_failure: allow_failure must be true, false or a map with exit_codes, but is a string.",
  ],
  ["{}", "allow_failure: allow_failure is a map without exit_codes."],
  [
    "{ codes: 1 }",
    'allow_failure:codes: "codes" is not a key of allow_failure. Supported are: exit_codes.',
  ],
])("allow_failure: %s is refused", (value, mistake) => {
  expect(mistakesOf(`a: { script: a, allow_failure: ${value} }`)).toEqual([`1 ${mistake}`]);
});

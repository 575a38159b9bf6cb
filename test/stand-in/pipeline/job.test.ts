import { expect, test } from "vitest";
import { jobOf, mistakesOf, warningsOf } from "./compiling.ts";

test.each(["on_success", "on_failure", "always", "manual"])("when: %s is kept", (when) => {
  expect(jobOf(`a: { script: a, when: ${when} }`).when).toBe(when);
});

test("tags may hold variables that are known; others stay as they are", () => {
  const yaml =
    "variables: { SIZE: large }\na: { script: a, tags: [linux, 'x-$SIZE', '${CI_COMMIT_BRANCH}', '$NOPE'] }";
  expect(jobOf(yaml).tags).toEqual(["linux", "x-large", "main", "$NOPE"]);
});

test("a timeout is read as people write it and given to the steps", () => {
  const job = jobOf("a: { script: a, timeout: 1h 30m }");
  expect(job.timeoutSeconds).toBe(5400);
  expect(job.payload.steps[0]?.timeout).toBe(5400);
});

test("what does not change what runs is accepted with a warning", () => {
  const yaml =
    "a:\n  script: a\n  interruptible: true\n  coverage: '/x/'\n  manual_confirmation: sure?";
  expect(warningsOf(yaml)).toEqual([
    ".gitlab-ci.yml, line 3: interruptible: it is accepted and ignored: no pipeline makes another one redundant here.",
    ".gitlab-ci.yml, line 4: coverage: it is accepted and ignored: the log is not searched for a coverage figure.",
    ".gitlab-ci.yml, line 5: manual_confirmation: it is accepted and ignored: it only concerns GitLab's pages.",
  ]);
});

test.each([
  ["{ }", "script", 'The job "a" has no script; every job needs one.'],
  ["{ script: [] }", "script", 'The job "a" has no script; every job needs one.'],
  ["{ script: '' }", "script", 'The job "a" has no script; every job needs one.'],
  ["{ script: }", "script", 'The job "a" has no script; every job needs one.'],
  ["{ script: a, when: never }", "when", "when: never only has a meaning in a rule of rules."],
  [
    "{ script: a, when: later }",
    "when",
    'when must be one of on_success, on_failure, always, manual, but is "later".',
  ],
  [
    "{ script: a, timeout: 3600 }",
    "timeout",
    "timeout must be a string, but is the number 3600; put it in quotes.",
  ],
  [
    "{ script: a, timeout: soon }",
    "timeout",
    'timeout must be a time of up to a month, like "1h 30m" or "90 minutes", not "soon".',
  ],
  [
    "{ script: a, timeout: 2 months }",
    "timeout",
    'timeout must be a time of up to a month, like "1h 30m" or "90 minutes", not "2 months".',
  ],
  ["{ script: a, tags: linux }", "tags", "tags must be a list of strings, but is a string."],
  ["{ script: a, stage: [test] }", "stage", "stage must be a string, but is a list."],
  [
    "{ script: a, hooks: { pre_clone: a } }",
    "hooks:pre_clone",
    '"pre_clone" is not a key of hooks. Supported are: pre_get_sources_script, post_get_sources_script.',
  ],
])("the job %s is refused", (job, keyword, message) => {
  expect(mistakesOf(`a: ${job}`)).toEqual([`1 ${keyword}: ${message}`]);
});

test.each([
  "only",
  "except",
  "environment",
  "release",
  "pages",
  "publish",
  "resource_group",
  "start_in",
  "secrets",
  "id_tokens",
  "identity",
  "inputs",
  "type",
  "dast_configuration",
])("the keyword %s is refused with advice", (keyword) => {
  const [mistake = "", ...others] = mistakesOf(`a:\n  script: a\n  ${keyword}: x`);
  expect(others).toEqual([]);
  expect(mistake).toMatch(new RegExp(`^3 ${keyword}: ${keyword} is not supported here: \\w.+\\.$`));
});

test.each(["trigger", "run"])(
  "the keyword %s is refused once, not as a missing script too",
  (keyword) => {
    expect(mistakesOf(`a:\n  ${keyword}: x`)).toHaveLength(1);
  },
);

test("delayed jobs are refused with advice, in a job and in a rule", () => {
  const yaml = "a: { script: a, when: delayed }\nb: { script: b, rules: [{ when: delayed }] }";
  expect(mistakesOf(yaml).join("\n")).toMatch(
    /1 when: .* when: manual.*\n2 rules:when: .* when: manual/,
  );
});

test("a name of more than 255 characters is refused", () => {
  expect(mistakesOf(`${"x".repeat(256)}: { script: a }`).join()).toContain("256 characters");
  expect(mistakesOf(`${"x".repeat(255)}: { script: a }`)).toEqual([]);
});

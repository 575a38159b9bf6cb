import { expect, test } from "vitest";
import {
  parseEnvironmentSettings,
  parseRegistryAuth,
  parseRunnerSettings,
} from "../../src/core/environment-settings.ts";
import { parseJobName } from "../../src/core/job-name.ts";
import { sortParameters } from "../../src/core/runner-parameters.ts";
import { tokenMistake } from "../../src/core/runner-token.ts";

const place = { where: "runner", environmentWhere: "/env/settings" };

function runnerOf(own: unknown, environment: unknown = {}) {
  const parsed = parseEnvironmentSettings(environment, "/env/settings");
  if (parsed.kind === "invalid") throw new Error(parsed.mistakes.join("\n"));
  const runner = parseRunnerSettings(own, parsed, place);
  return runner.kind === "runner" ? runner.settings : runner.mistakes;
}

test("without anything set the environment has 6 vCPU and polls all the time", () => {
  expect(parseEnvironmentSettings(undefined, "where")).toMatchObject({
    settings: { paused: false, vcpu_budget: 6, daily_vcpu_minutes: 0, poll_seconds: 60 },
    defaults: {},
  });
});

test("a runner has the environment's defaults, and its own settings win, maps key by key", () => {
  const environment = { limit: 4, image: "ruby", disk: { default: 30, maximum: 60 }, paused: true };
  expect(runnerOf({ limit: 9, disk: { maximum: 50 } }, environment)).toMatchObject({
    limit: 9,
    image: "ruby",
    disk: { default: 30, maximum: 50 },
    paused: false,
  });
});

test.each([
  [undefined, undefined, 6],
  [undefined, 20, 20],
  [4, 20, 4],
  [30, 20, 20],
  [0, 20, 20],
  [0, 0, 0],
])("of a runner's budget %j and the environment's %j what holds is %j", (own, all, vcpu) => {
  const runner = own === undefined ? {} : { vcpu_budget: own };
  const environment = all === undefined ? {} : { vcpu_budget: all };
  expect(runnerOf(runner, environment)).toMatchObject({ vcpu_budget: vcpu });
});

test.each<[unknown, string]>([
  [{ poll_secnds: 3 }, '/e: unknown key "poll_secnds"; did you mean "poll_seconds"?'],
  [
    { poll_seconds: 90 },
    "/e: poll_seconds: expected a whole number from 1 to 60, found the number 90",
  ],
  [{ limti: 3 }, '/e: unknown key "limti"; did you mean "limit"?'],
  ["text", "/e: expected a map of settings, found a text"],
  [
    { cpus: 8, sizes: { maximum: { cpu: 8 } } },
    "/e: sizes.default.cpu: 8 vCPU are more than vcpu_budget, 6 vCPU: no job could ever start",
  ],
])("a mistake in the environment's settings is told: %j", (value, mistake) => {
  expect(parseEnvironmentSettings(value, "/e")).toEqual({ kind: "invalid", mistakes: [mistake] });
});

test.each<[unknown, string]>([
  [[], "runner: expected a map of settings, found a list"],
  [
    { poll_seconds: 30 },
    "runner: poll_seconds: this holds for all runners together: it belongs into /env/settings",
  ],
  [
    { registry_auth: '{"auths":{}}' },
    "runner: registry_auth: logins do not belong into settings, which are kept in plain text: put them into the encrypted parameter registry-auth beside this one",
  ],
  [
    { cpus: 8 },
    "runner: sizes.default.cpu: 8 vCPU are more than vcpu_budget, 6 vCPU: no job could ever start",
  ],
])("a mistake in a runner's settings is told: %j", (value, mistake) => {
  expect(runnerOf(value)).toEqual([mistake]);
});

test("logins are a docker config.json, and a mistake shows none of them", () => {
  expect(parseRegistryAuth('{"auths":{"r.example.com":{"auth":"eDp5"}}}', "p").kind).toBe("logins");
  const wrong = parseRegistryAuth('{"auth": "secret"}', "p");
  expect(wrong).toMatchObject({
    mistake: expect.stringContaining("expected a docker config.json"),
  });
  expect(JSON.stringify(wrong)).not.toContain("secret");
});

test("parameters that are none of ours are told, with the name that was meant", () => {
  const names = [
    "/e/settings",
    "/e/setings",
    "/e/runners/a/token",
    "/e/runners/a/setting",
    "/e/runners/a.b/token",
    "/e/runners/a/token/old",
  ];
  const sorted = sortParameters(
    "/e",
    names.map((name) => ({ name })),
  );
  expect(sorted.environment?.name).toBe("/e/settings");
  expect([...sorted.runners]).toEqual([["a", { token: { name: "/e/runners/a/token" } }]]);
  expect(sorted.mistakes.map((mistake) => mistake.slice(0, 75))).toEqual([
    expect.stringContaining('/e/setings: unknown parameter; did you mean "settings"?'),
    expect.stringContaining('/e/runners/a/setting: unknown parameter; did you mean "settings"?'),
    expect.stringContaining('/e/runners/a.b/token: the runner\'s name "a.b": expected'),
    expect.stringContaining("/e/runners/a/token/old: unknown parameter: expected"),
  ]);
});

test.each([
  ["glrt-abc", undefined],
  ["olderTokenWithoutPrefix", undefined],
  ["", "found nothing"],
  ["glrt-a b", "a blank, a line break"],
  ["GR1348941abc", "found a registration token"],
  ["glpat-abc", "found another kind of token (glpat-…)"],
])("a runner's token: %j", (token, mistake) => {
  if (mistake === undefined) expect(tokenMistake(token)).toBeUndefined();
  else expect(tokenMistake(token)).toContain(mistake);
});

const task = "0123456789abcdef0123456789abcdef";
test.each([
  ["77", { kind: "job", jobId: 77 }],
  ["#77", { kind: "job", jobId: 77 }],
  [`team/1024/${task}`, { kind: "claim", name: `team/1024/${task}` }],
  [task, { kind: "task", taskId: task }],
  [`arn:aws:ecs:eu-central-1:123456789012:task/cluster/${task}`, { kind: "task", taskId: task }],
])("a job may be called %s", (text, name) => {
  expect(parseJobName(text)).toMatchObject(name);
});

test.each(["", "my-job", "-1", "team/1024/short"])("no job is called %j", (text) => {
  expect(parseJobName(text)).toBeUndefined();
});

import { expect, test } from "vitest";
import { readGitStrategy, readSourceOptions } from "../../../src/agent/sources/strategy.ts";
import { makeJob, vars } from "./stage.ts";

function options(variables: Readonly<Record<string, string>>, job = makeJob({})) {
  return readSourceOptions(job, vars(variables));
}

test("without variables GitLab Runner's defaults hold", () => {
  expect(options({}, makeJob({ depth: 20 }))).toEqual({
    strategy: "fetch",
    checkout: true,
    depth: 20,
    fetchFlags: ["--prune", "--quiet"],
    cleanFlags: ["-ffdx"],
    submodules: { strategy: "none", depth: 20, paths: [], updateFlags: [], forceHttps: false },
    lfs: true,
    attempts: 1,
    warnings: [],
  });
});

test.each([
  [true, "", "fetch", false],
  [false, "", "clone", false],
  [true, "clone", "clone", false],
  [false, "fetch", "fetch", false],
  [true, "none", "none", false],
  [true, "empty", "empty", false],
  [false, "Fetch", "clone", true],
] as const)(
  "allow_git_fetch %s and GIT_STRATEGY %j give %s; warned: %s",
  (allowFetch, text, strategy, warned) => {
    const reading = readGitStrategy(makeJob({ allowFetch }), vars({ GIT_STRATEGY: text }));
    expect(reading.value).toBe(strategy);
    expect(reading.warning !== undefined).toBe(warned);
  },
);

test.each([
  ["20", 10, "number of attempts out of the range [1, 10], clamping to: 10"],
  ["0", 1, "number of attempts out of the range [1, 10], clamping to: 1"],
  ["many", 1, 'expected int got "many", using default value: 1'],
  ["3", 3, undefined],
])("GET_SOURCES_ATTEMPTS=%s gives %i attempts", (text, attempts, warning) => {
  const read = options({ GET_SOURCES_ATTEMPTS: text });
  expect(read.attempts).toBe(attempts);
  const expected = warning === undefined ? [] : [`GET_SOURCES_ATTEMPTS: ${warning}`];
  expect(read.warnings).toEqual(expected);
});

test.each([
  ["GIT_FETCH_EXTRA_FLAGS", "fetchFlags"],
  ["GIT_CLEAN_FLAGS", "cleanFlags"],
] as const)("%s is split at blanks; none means no flags", (name, field) => {
  expect(options({ [name]: "  -a  -e b\tc " })[field]).toEqual(["-a", "-e", "b", "c"]);
  expect(options({ [name]: "none" })[field]).toEqual([]);
});

test("the strategies without sources check nothing out and bring no submodules", () => {
  for (const strategy of ["none", "empty"]) {
    const read = options({ GIT_STRATEGY: strategy, GIT_SUBMODULE_STRATEGY: "recursive" });
    expect([read.checkout, read.submodules.strategy]).toEqual([false, "none"]);
  }
});

test("a bad truth value is warned about", () => {
  const read = options({ GIT_CHECKOUT: "maybe", GIT_LFS_SKIP_SMUDGE: "1" });
  expect([read.checkout, read.lfs, read.warnings.length]).toEqual([true, false, 1]);
});

test("a bare :(exclude) among the submodule paths is an error of configuration", () => {
  const variables = { GIT_SUBMODULE_PATHS: ":(exclude) lib", GIT_SUBMODULE_STRATEGY: "normal" };
  expect(() => options(variables)).toThrow("':(exclude)' must be followed by a path");
});

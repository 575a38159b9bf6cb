import { expect, test } from "vitest";
import { defaultFeatureFlags } from "../../src/core/feature-flags.ts";
import type { VariablesInput } from "../../src/core/runner-variables.ts";
import { buildVariables, jobVariables } from "../../src/core/variables.ts";
import type { VariableEntry } from "../../src/core/variable-entry.ts";
import { buildJob } from "./build-job.ts";

const of = (...entries: readonly VariableEntry[]) => jobVariables(entries, { tempDir: "/p.tmp" });

test.each<[string, readonly VariableEntry[], string, string]>([
  [
    "a reference is expanded",
    [
      { key: "A", value: "x$B" },
      { key: "B", value: "y" },
    ],
    "A",
    "xy",
  ],
  [
    "expansion is one pass: what is referred to is not expanded itself",
    [
      { key: "A", value: "<$B>" },
      { key: "B", value: "$C" },
      { key: "C", value: "deep" },
    ],
    "A",
    "<$C>",
  ],
  [
    "C58 a raw value stays literal",
    [{ key: "A", value: "$B ${C} $$", raw: true }],
    "A",
    "$B ${C} $$",
  ],
  ["C58 two dollars are one", [{ key: "A", value: "a$$b" }], "A", "a$b"],
  [
    "a variable that refers to itself gives its own text",
    [{ key: "A", value: "$A." }],
    "A",
    "$A..",
  ],
  [
    "of several with one name the last wins, for references as well",
    [
      { key: "A", value: "1" },
      { key: "B", value: "$A" },
      { key: "A", value: "2" },
    ],
    "B",
    "2",
  ],
  [
    "the last one's being raw counts, too",
    [
      { key: "A", value: "$B" },
      { key: "A", value: "$C", raw: true },
    ],
    "A",
    "$C",
  ],
  ["a reference to nothing is empty", [{ key: "A", value: "<$NOPE>" }], "A", "<>"],
  [
    "C59 a file variable gives its path",
    [{ key: "F", value: "data", file: true }],
    "F",
    "/p.tmp/F",
  ],
  [
    "a reference to a file variable gives its path",
    [
      { key: "A", value: "--key $F" },
      { key: "F", value: "data", file: true },
    ],
    "A",
    "--key /p.tmp/F",
  ],
  ["an absent variable is empty", [], "A", ""],
])("%s", (_rule, entries, key, value) => {
  expect(of(...entries).get(key)).toBe(value);
});

test("a text is expanded with the expanded variables", () => {
  const variables = of(
    { key: "A", value: "$B" },
    { key: "B", value: "b" },
    { key: "R", value: "$B", raw: true },
    { key: "F", value: "x", file: true },
  );
  expect(variables.expand("$A ${R} $F $NOPE $$")).toBe("b $B /p.tmp/F  $");
});

test("scripts get every variable once, files as their paths", () => {
  const variables = of(
    { key: "A", value: "1" },
    { key: "F", value: "content", file: true },
    { key: "A", value: "2" },
  );
  expect([...variables.environment()]).toEqual([
    ["A", "2"],
    ["F", "/p.tmp/F"],
  ]);
  expect(variables.has("A")).toBe(true);
  expect(variables.has("B")).toBe(false);
});

test("C59 a file's content is byte-exact where nothing in it refers to a variable", () => {
  const content = "-----BEGIN-----\r\nü 漢\n\n\ttab \\n 'q' \"q\" `x`\n";
  expect(of({ key: "F", value: content, file: true }).files()).toEqual([
    { key: "F", path: "/p.tmp/F", content },
  ]);
});

test("a file's content is expanded unless it is raw", () => {
  const variables = of(
    { key: "A", value: "a" },
    { key: "F", value: "$A", file: true },
    { key: "R", value: "$A", file: true, raw: true },
  );
  expect(variables.files().map((file) => file.content)).toEqual(["a", "$A"]);
});

test("an overridden file variable is no file any more", () => {
  const variables = of({ key: "F", value: "x", file: true }, { key: "F", value: "y" });
  expect(variables.files()).toEqual([]);
  expect(variables.get("F")).toBe("y");
});

test.each(["../outside", "a/b", "..", ".", "", "nul\0"])(
  "a file variable named %j is not written, and warned of without its value",
  (key) => {
    const variables = of({ key, value: "hunter2", file: true });
    expect(variables.files()).toEqual([]);
    expect(variables.warnings.join()).toContain("cannot be written");
    expect(variables.warnings.join()).not.toContain("hunter2");
  },
);

test("masked are the expanded values, files' contents and overridden ones, each once", () => {
  const variables = of(
    { key: "A", value: "first", masked: true },
    { key: "A", value: "p$B", masked: true },
    { key: "B", value: "q" },
    { key: "C", value: "pq", masked: true },
    { key: "E", value: "", masked: true },
    { key: "F", value: "inside", masked: true, file: true },
    { key: "R", value: "$B", masked: true, raw: true },
  );
  expect(variables.maskedValues()).toEqual(["first", "pq", "inside", "$B"]);
});

test("more on top wins, is seen by references, and leaves the original alone", () => {
  const variables = of({ key: "S", value: "running" }, { key: "A", value: "is $S" });
  const later = variables.with([{ key: "S", value: "failed", masked: true }]);
  expect([later.get("S"), later.get("A")]).toEqual(["failed", "is failed"]);
  expect([variables.get("S"), variables.get("A")]).toEqual(["running", "is running"]);
  expect(later.maskedValues()).toEqual(["failed"]);
});

test("a truth value is read after expansion", () => {
  const variables = of({ key: "A", value: "$B" }, { key: "B", value: "true" });
  expect(variables.bool("A", false)).toEqual({ value: true });
  expect(variables.bool("NOPE", true)).toEqual({ value: true });
});

interface Changes {
  readonly job?: Readonly<Record<string, unknown>>;
  readonly runner?: Partial<VariablesInput["runner"]>;
  readonly rest?: Partial<VariablesInput>;
}

function build(changes: Changes = {}) {
  return buildVariables({
    job: buildJob(changes.job),
    runner: {
      shortToken: "abcdefghi",
      environment: [],
      featureFlags: defaultFeatureFlags,
      version: "1.2.3",
      revision: "deadbeef",
      executableArch: "linux/amd64",
      shared: false,
      ...changes.runner,
    },
    dirs: {
      buildsDir: "/builds",
      projectDir: "/builds/g/p",
      tempDir: "/builds/g/p.tmp",
      concurrentId: 3,
      concurrentProjectId: 1,
    },
    ...changes.rest,
  });
}

test("the runner tells a job where and by whom it is run", () => {
  const variables = build({ job: { runner_info: { timeout: 600 }, image: { name: "alpine" } } });
  expect(Object.fromEntries(variables.environment())).toEqual({
    ...Object.fromEntries(
      Object.entries(defaultFeatureFlags).map(([name, on]) => [name, String(on)]),
    ),
    CI_JOB_IMAGE: "alpine",
    CI_RUNNER_SHORT_TOKEN: "abcdefghi",
    CI_BUILDS_DIR: "/builds",
    CI_PROJECT_DIR: "/builds/g/p",
    CI_CONCURRENT_ID: "3",
    CI_CONCURRENT_PROJECT_ID: "1",
    CI_SERVER: "yes",
    CI_JOB_STATUS: "running",
    CI_JOB_TIMEOUT: "600",
    CI_DISPOSABLE_ENVIRONMENT: "true",
    CI_RUNNER_VERSION: "1.2.3",
    CI_RUNNER_REVISION: "deadbeef",
    CI_RUNNER_EXECUTABLE_ARCH: "linux/amd64",
    RUNNER_TEMP_PROJECT_DIR: "/builds/g/p.tmp",
  });
  expect(variables.warnings).toEqual([]);
});

test("a machine that outlives the job is a shared environment", () => {
  const variables = build({ runner: { shared: true } });
  expect(variables.get("CI_SHARED_ENVIRONMENT")).toBe("true");
  expect(variables.has("CI_DISPOSABLE_ENVIRONMENT")).toBe(false);
});

test("a job without an image gets the settings' one, or no CI_JOB_IMAGE at all", () => {
  expect(build({ runner: { settingsImage: "debian" } }).get("CI_JOB_IMAGE")).toBe("debian");
  expect(build().has("CI_JOB_IMAGE")).toBe(false);
});

test.each([
  ["C57 a job's variable overrides the runner's environment", "FROM_ENV", "job"],
  ["a job's variable overrides what the runner says of places", "CI_PROJECT_DIR", "job"],
  ["a job's variable overrides the resolved flag it sees", "FF_TIMESTAMPS", "job"],
  ["C57 a job cannot override CI_RUNNER_VERSION", "CI_RUNNER_VERSION", "1.2.3"],
  ["a job cannot override CI_RUNNER_REVISION", "CI_RUNNER_REVISION", "deadbeef"],
  ["a job cannot override CI_DISPOSABLE_ENVIRONMENT", "CI_DISPOSABLE_ENVIRONMENT", "true"],
  ["a job cannot override RUNNER_TEMP_PROJECT_DIR", "RUNNER_TEMP_PROJECT_DIR", "/builds/g/p.tmp"],
])("%s", (_rule, key, value) => {
  const variables = build({
    job: { variables: [{ key, value: "job" }] },
    runner: { environment: ["FROM_ENV=runner"] },
  });
  expect(variables.get(key)).toBe(value);
});

test("the runner's environment overrides flags and short token, not places", () => {
  const environment = ["FF_TIMESTAMPS=env", "CI_RUNNER_SHORT_TOKEN=env", "CI_SERVER=env"];
  const variables = build({ runner: { environment } });
  expect(
    ["FF_TIMESTAMPS", "CI_RUNNER_SHORT_TOKEN", "CI_SERVER"].map((key) => variables.get(key)),
  ).toEqual(["env", "env", "yes"]);
});

test("the runner's environment may hold equals signs, blanks and references", () => {
  const environment = [" A=b=c d", "B=$CI_SERVER", "EMPTY="];
  const variables = build({ runner: { environment } });
  expect(["A", "B", "EMPTY"].map((key) => variables.get(key))).toEqual(["b=c d", "yes", ""]);
});

test("an entry that is no assignment is left out, and its text not shown", () => {
  const variables = build({ runner: { environment: ["OK=1", "hunter2"] } });
  expect(variables.warnings).toEqual([
    "The environment entry 2 of the runner's settings is not of the form KEY=value, and is left out",
  ]);
});

test("a dollar in a path of this machine is no reference", () => {
  const dirs = {
    buildsDir: "/b$HOME",
    projectDir: "/b$HOME/p",
    tempDir: "/b$HOME/p.tmp",
    concurrentId: 0,
    concurrentProjectId: 0,
  };
  const job = { variables: [{ key: "F", value: "x", file: true }] };
  const variables = build({ rest: { dirs }, job });
  expect(variables.get("CI_PROJECT_DIR")).toBe("/b$HOME/p");
  expect(variables.get("F")).toBe("/b$HOME/p.tmp/F");
});

test("certificates for GitLab come as files", () => {
  const variables = build({ rest: { tls: { ca: "CA\n", certificate: "C\n", key: "" } } });
  expect(variables.get("CI_SERVER_TLS_CA_FILE")).toBe("/builds/g/p.tmp/CI_SERVER_TLS_CA_FILE");
  expect(variables.files().map(({ key, content }) => [key, content])).toEqual([
    ["CI_SERVER_TLS_CA_FILE", "CA\n"],
    ["CI_SERVER_TLS_CERT_FILE", "C\n"],
  ]);
  expect(variables.has("CI_SERVER_TLS_KEY_FILE")).toBe(false);
});

test("resolved secrets win over the payload's variables", () => {
  const secrets = [{ key: "DB", value: "s3$cret", raw: true, masked: true }];
  const variables = build({ rest: { secrets }, job: { variables: [{ key: "DB", value: "x" }] } });
  expect(variables.get("DB")).toBe("s3$cret");
  expect(variables.maskedValues()).toContain("s3$cret");
});

test("tokens of the payload are masked whether or not a variable holds them", () => {
  const variables = build({
    job: {
      token: "job-token",
      credentials: [{ type: "registry", url: "r", username: "u", password: "registry-password" }],
      dependencies: [{ id: 1, name: "build", token: "dependency-token" }],
    },
  });
  expect(variables.maskedValues()).toEqual(["job-token", "dependency-token", "registry-password"]);
});

test("printing the variables shows no value", async () => {
  const { inspect } = await import("node:util");
  const variables = of({ key: "A", value: "hunter2", masked: true });
  expect(inspect(variables, { depth: 9 }) + JSON.stringify(variables)).not.toContain("hunter2");
});

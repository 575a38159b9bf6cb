import { inspect } from "node:util";
import { expect, test } from "vitest";
import { parseJob } from "../../src/core/job.ts";
import { buildJob } from "./build-job.ts";

const least = { id: 7, token: "glcbt-secret" };

const nullable = [
  "allow_git_fetch",
  "job_info",
  "git_info",
  "runner_info",
  "inputs",
  "variables",
  "steps",
  "run",
  "hooks",
  "image",
  "services",
  "artifacts",
  "cache",
  "credentials",
  "dependencies",
  "features",
  "secrets",
];

test("C48 a payload whose every optional part is absent parses, and its lists are empty", () => {
  const job = buildJob();
  expect(job).toMatchObject({
    allow_git_fetch: false,
    job_info: { name: "", project_full_path: "" },
    git_info: { ref: "", refspecs: [], depth: 0, protected: false },
    inputs: [],
    variables: [],
    steps: [],
    run: "",
    hooks: [],
    services: [],
    artifacts: [],
    cache: [],
    credentials: [],
    dependencies: [],
    features: { trace_sections: false, token_mask_prefixes: [], failure_reasons: [] },
    secrets: {},
  });
  expect(job.image).toMatchObject({ name: "", pull_policy: [] });
  expect(job.image.entrypoint).toBeUndefined();
});

test.each(nullable)("C48 a payload with %s null parses to the same as without it", (field) => {
  expect(parseJob({ ...least, [field]: null })).toEqual(parseJob(least));
});

test("C48 null within the parts is absence as well", () => {
  const job = buildJob({
    variables: [{ key: "A", value: null, public: null, masked: null, file: null, raw: null }],
    steps: [{ name: "script", script: null, timeout: null, when: null, allow_failure: null }],
    image: {
      name: "alpine",
      entrypoint: null,
      ports: null,
      executor_opts: null,
      pull_policy: null,
    },
    services: [{ name: "db", alias: null, command: null, variables: null, ports: null }],
    artifacts: [{ name: null, paths: null, exclude: null, when: null, artifact_format: null }],
    cache: [{ key: null, paths: null, fallback_keys: null, when: null, policy: null }],
    dependencies: [{ id: 1, name: "x", token: null, artifacts_file: null }],
    git_info: { refspecs: null, protected: null, depth: null, repo_object_format: null },
    features: { failure_reasons: null, token_mask_prefixes: null },
    runner_info: { timeout: null },
  });
  expect(job.steps[0]).toEqual({
    name: "script",
    script: [],
    timeout: 0,
    when: "",
    allow_failure: false,
  });
  expect(job.artifacts[0]).toMatchObject({ when: "on_success", paths: [], artifact_format: "" });
  expect(job.variables[0]?.value.isEmpty).toBe(true);
});

test("unknown fields are ignored, wherever they stand", () => {
  const future = { anything: [1] };
  const known = { ...least, job_info: { name: "x" }, steps: [{ name: "script" }] };
  const more = {
    ...known,
    future,
    job_info: { ...known.job_info, future },
    steps: [{ name: "script", future }],
  };
  expect(parseJob(more)).toEqual(parseJob(known));
});

test.each([
  [null, 7200],
  [0, 7200],
  [-1, 7200],
  [90, 90],
])("a timeout of %j is %d s", (timeout, seconds) => {
  expect(buildJob({ runner_info: { timeout } }).runner_info.timeout).toBe(seconds);
});

test.each([
  ["root", "root"],
  [1000, "1000"],
  [null, ""],
])("an image's user may be %j", (user, text) => {
  const job = buildJob({ image: { name: "a", executor_opts: { docker: { user } } } });
  expect(job.image.executor_opts?.docker?.user).toBe(text);
});

test("C49 run is a JSON text within the JSON", () => {
  const run = JSON.stringify([{ name: "hi", step: "./hi" }]);
  expect(buildJob({ run }).run).toBe(run);
});

test.each([
  [
    "C49 run and script together are refused",
    { run: "[]", steps: [{ name: "script", script: ["x"] }] },
    "run: a job has either run or script, not both",
  ],
  ["C49 a run that is no text is refused", { run: [{ name: "hi" }] }, "run: "],
  ["C49 a run that is no JSON is refused", { run: "hunter2: [" }, "run: expected a JSON text"],
  ["C49 a run that holds no array is refused", { run: '{"a":1}' }, "run: expected a JSON text"],
  ["a payload without id is refused", { id: undefined }, "id: "],
  ["a payload without token is refused", { token: undefined }, "token: "],
  [
    "a wrong list is refused by its path",
    { steps: [{ name: "s", script: "x" }] },
    "steps.0.script: ",
  ],
  [
    "an input without key is refused",
    { inputs: [{ key: "", value: { type: "string", content: "x" } }] },
    "inputs.0.key: an input needs a key",
  ],
  [
    "an input of null is refused",
    { inputs: [{ key: "k", value: { type: "string", content: null } }] },
    "inputs.0.value.content: ",
  ],
  [
    "an input of another type than it says is refused",
    { inputs: [{ key: "k", value: { type: "number", content: "hunter2" } }] },
    "inputs.0.value.content: ",
  ],
  [
    "an input of an unknown type is refused",
    { inputs: [{ key: "k", value: { type: "date", content: "x" } }] },
    "inputs.0.value",
  ],
])("%s, and no value is shown", (_rule, fields, message) => {
  const parsed = parseJob({ ...least, ...fields });
  expect(parsed.kind).toBe("invalid");
  const text = parsed.kind === "invalid" ? parsed.message : "";
  expect(text).toContain(message);
  expect(text).not.toMatch(/hunter2|glcbt-secret/);
});

test.each([[null], ["text"], [[]], [undefined]])("%j is no payload", (payload) => {
  expect(parseJob(payload).kind).toBe("invalid");
});

test("whatever opens a door is not shown by printing the job", () => {
  const job = buildJob({
    token: "hunter2-token",
    git_info: { repo_url: "https://gitlab-ci-token:hunter2@gitlab.example/g/p.git" },
    variables: [{ key: "PASSWORD", value: "hunter2" }],
    credentials: [{ type: "registry", url: "r", username: "u", password: "hunter2" }],
    dependencies: [{ id: 1, name: "d", token: "hunter2" }],
    services: [{ name: "db", variables: [{ key: "P", value: "hunter2" }] }],
  });
  expect(inspect(job, { depth: 20, showHidden: true }) + JSON.stringify(job)).not.toContain(
    "hunter2",
  );
  expect(job.variables[0]?.value.reveal()).toBe("hunter2");
});
